"""What a user types, and what they read."""

"""The checks before and after a deployment."""

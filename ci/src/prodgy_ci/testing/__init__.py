"""Runs the services' own tests in containers, with what they need beside them."""

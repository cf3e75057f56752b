"""Builds, tests, publishes, deploys and checks the services of a monorepo."""

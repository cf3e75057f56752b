"""Deploys published images to where they run, all or nothing, with a way back."""

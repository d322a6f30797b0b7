"""Measures what a person waits for, against a running stack with the demo's resources in it."""

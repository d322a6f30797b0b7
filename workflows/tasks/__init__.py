"""Scheduled tasks that a person runs now."""

"""Secrets that expire: looked at by the clock."""

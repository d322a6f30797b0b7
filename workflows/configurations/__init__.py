"""Releases of configuration groups."""

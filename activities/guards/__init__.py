"""Stops and freezes, read before anything begins."""

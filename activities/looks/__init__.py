"""Readings of what runs on a plane, for whoever asks."""

"""Procedures about secrets: deliver one, turn one over."""

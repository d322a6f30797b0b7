"""Procedures about the gateways of planes."""

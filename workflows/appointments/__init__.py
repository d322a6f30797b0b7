"""Deployments that wait for their time."""

"""Webhooks of Git servers: signatures, pushes and the components they concern."""

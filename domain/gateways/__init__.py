"""Certificates that the gateway of a plane shows for components, signed by OpenBao."""

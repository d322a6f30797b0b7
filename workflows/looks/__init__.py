"""Looks at what runs on a plane, wherever the plane is."""

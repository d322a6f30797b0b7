"""Components that are promoted together."""

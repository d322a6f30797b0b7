"""Releases of configuration: who is touched, in which order, who must agree."""

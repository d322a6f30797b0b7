"""Looks at the health of environments by the clock, and changes of what runs by it."""

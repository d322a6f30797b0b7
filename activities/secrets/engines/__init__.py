"""How a new credential comes about, by engine: one slot is in use, the other one is made anew.

Values live in arguments and local names here and nowhere else. Every effect may be repeated.
"""

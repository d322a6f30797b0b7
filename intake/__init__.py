"""Turns changed resources into procedures: watches, decides, starts or signals; never polls.

Many processes may carry the role; a Lease lets one of them act. What is decided is in
``decisions`` and ``summaries`` as pure functions of what exists, so that a start, a restart and a
change take the same way and nothing is missed.
"""

"""Brings up a complete real stack on one machine and takes it down again without a trace."""

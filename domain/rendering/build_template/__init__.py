"""The scripts that build pods run, as text."""

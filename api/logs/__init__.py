"""Logs of builds and of pods."""

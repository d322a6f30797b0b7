"""What is written down for good, and signed."""

"""What keeps the records trustworthy."""

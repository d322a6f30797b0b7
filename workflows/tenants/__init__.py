"""Setting up and removing organizations."""

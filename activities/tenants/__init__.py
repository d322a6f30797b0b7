"""Effects of setting up and removing organizations."""

"""What keeps organizations apart."""

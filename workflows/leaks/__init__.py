"""What is done about secrets that strangers know."""

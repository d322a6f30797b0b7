"""What is done and seen on a data plane."""

"""Effects on the gateway of a plane."""

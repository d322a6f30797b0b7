"""A changed class reaches the components that follow it."""

"""When a component may go on to an environment, what may run there, and what goes back."""

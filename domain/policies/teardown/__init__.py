"""What goes with a resource that is deleted, in which order, and who keeps it. Pure."""

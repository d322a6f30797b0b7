"""Effects on secrets. Values stay inside these activities; only references leave."""

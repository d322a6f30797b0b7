"""One durable procedure a module: order, wait, compensate, ask policies."""

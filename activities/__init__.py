"""One idempotent effect or reading each; they map arguments to calls of clients."""

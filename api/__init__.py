"""The HTTP API: authenticates, validates, starts and steers procedures, translates errors."""

"""Free TCP ports of the loopback interface."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Returns a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

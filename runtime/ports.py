"""Free TCP ports of the loopback interface."""

from __future__ import annotations

import random
import socket

_FIRST, _COUNT = 10_000, 10_000
"""Below what the kernel gives to outgoing connections, so a port stays free until it is taken, also
while a server that had it begins anew; and below the ports of local stacks."""
_TRIES = 100


def free_port() -> int:
    """Returns a port nobody listens on now.

    Raises:
        OSError: There is none.
    """
    dice = random.SystemRandom()
    for _ in range(_TRIES):
        port = _FIRST + dice.randrange(_COUNT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port was found between {_FIRST} and {_FIRST + _COUNT}")

"""Tells a container engine whether the process beside it is ready: exit status 0 or 1.

Imports nothing but the standard library, because it is started every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping

_TIMEOUT = 4.0
_LISTEN = {
    "PAVANE_API__LISTEN": "127.0.0.1:8090",
    "PAVANE_WORKER__LISTEN": "127.0.0.1:8091",
}
"""Settings by which the processes listen, each with its default."""


def ready(environment: Mapping[str, str]) -> bool:
    """Whether one of the two processes is there and says that it is ready."""
    listens = [environment.get(name) or usual for name, usual in _LISTEN.items()]
    return any(_answers(int(listen.rpartition(":")[2])) for listen in listens)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(os.environ) else 1)

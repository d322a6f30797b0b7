"""Ports of one stack: chosen free once, remembered in the state folder, or given by settings."""

import json
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from devstack.errors import PreflightFailed
from devstack.files import write_atomically

FIRST = 20_000
"""Below the range the kernel gives to outgoing connections."""
COUNT = 10_000
_PAUSE = 0.05


def is_free(port: int) -> bool:
    """Tells whether nothing on this machine listens on the port, on any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - only asks; nothing listens
        except OSError:
            return False
    return True


class Ports:
    """Gives each name one port; the same name gives the same port in later runs if still free."""

    def __init__(
        self,
        remembered: Path,
        *,
        fixed: Mapping[str, int] | None = None,
        available: Callable[[int], bool] = is_free,
        patience: float = 3.0,
    ) -> None:
        """Reads what was remembered; `fixed` are the ports a person asked for.

        A remembered port is waited for: of a process that was killed the last threads may still
        hold it, though the process itself is gone. `patience` is in seconds, for all of them.
        """
        self._patience = patience
        self._file = remembered
        self._fixed = dict(fixed or {})
        self._available = available
        self._remembered: dict[str, int] = (
            json.loads(remembered.read_text()) if remembered.exists() else {}
        )
        self._settled: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        """The port of that name, choosing and remembering it when there is none yet.

        Raises:
            PreflightFailed: the port was given by settings and something else listens on it.
        """
        if name not in self._settled:
            self._settled[name] = self._choose(name)
            if self._remembered.get(name) != self._settled[name]:
                self._remembered[name] = self._settled[name]
                write_atomically(self._file, json.dumps(self._remembered, indent=2, sort_keys=True))
        return self._settled[name]

    def keep(self, ports: Mapping[str, int]) -> None:
        """Takes these ports without asking whether they are free: the stack itself has them."""
        self._settled.update(ports)

    def as_dict(self) -> dict[str, int]:
        """The ports in use so far, by name."""
        return dict(sorted(self._settled.items()))

    def _choose(self, name: str) -> int:
        if name in self._fixed:
            return self._checked(name, self._fixed[name])
        before = self._remembered.get(name)
        if before is not None and self._becomes_free(before):
            return before
        start = zlib.crc32(f"{self._file}:{name}".encode()) % COUNT
        taken = {*self._remembered.values(), *self._settled.values(), *self._fixed.values()}
        for offset in range(COUNT):
            port = FIRST + (start + offset) % COUNT
            if port not in taken and self._available(port):
                return port
        raise PreflightFailed([f"no free port between {FIRST} and {FIRST + COUNT - 1}"])

    def _becomes_free(self, port: int) -> bool:
        while not self._available(port):
            if self._patience <= 0:
                return False
            self._patience -= _PAUSE
            time.sleep(_PAUSE)
        return True

    def _checked(self, name: str, port: int) -> int:
        if not self._available(port):
            problem = (
                f"port {port} asked for {name} is occupied; end what listens there "
                f"(ss -ltnp 'sport = :{port}') or ask for another"
            )
            raise PreflightFailed([problem])
        return port

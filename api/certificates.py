"""The certificate the API shows, read anew when its file changes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from domain.errors import InvalidRequest

_LOG = structlog.stdlib.get_logger(__name__)
_PAUSE_SECONDS = 10.0
"""Between looks. A Secret that is mounted takes about a minute to change by itself."""


class ShownCertificate:
    """Two PEM files, and the context of a server that shows what they hold."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Reads nothing yet."""
        self._certificate = certificate
        self._key = key
        self._seen = self._stamps()

    def check(self) -> None:
        """Looks whether a server could show it.

        Raises:
            InvalidRequest: A file is missing, is no PEM, or the key is of another certificate.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            message = f"certificate {self._certificate} with key {self._key}: {error}"
            advice = "PAVANE_API__TLS_CERTIFICATE and PAVANE_API__TLS_KEY name two PEM files."
            raise InvalidRequest(message, facts={"advice": advice}) from None

    async def follow(self, context: ssl.SSLContext, *, pause: float = _PAUSE_SECONDS) -> None:
        """Gives a running server what the files hold now, until it is cancelled.

        Connections that are open keep theirs. What cannot be shown is told, and not taken.
        """
        while True:
            await asyncio.sleep(pause)
            stamps = await asyncio.to_thread(self._stamps)
            if stamps == self._seen:
                continue
            try:
                # In a context of its own first: half a change would leave the server with none.
                await asyncio.to_thread(self.check)
                context.load_cert_chain(self._certificate, self._key)
            except (InvalidRequest, OSError, ssl.SSLError) as error:
                _LOG.error("certificate is not taken, the old one stays", why=str(error))
                continue
            self._seen = stamps
            _LOG.info("certificate taken", file=str(self._certificate))

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        found = []
        for file in (self._certificate, self._key):
            try:
                state = file.stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((state.st_mtime_ns, state.st_ino))
        return tuple(found)

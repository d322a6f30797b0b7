"""Starts the API process."""

from __future__ import annotations

import asyncio
import socket

import structlog
import uvicorn

import settings as configuration
from api.app import create_app
from api.certificates import ShownCertificate
from api.services import Services
from runtime.logging import configure

_LOG = structlog.stdlib.get_logger(__name__)
_GRACE_SECONDS = 10


class _Server(uvicorn.Server):
    """Ends streamed answers first at a stop, so that it need not wait for their clients."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._services.stopping.set()
        await super().shutdown(sockets)


async def serve(settings: configuration.Settings) -> None:
    """Serves until the process is asked to stop."""
    services = Services(settings)
    shown = _certificate(settings.api)
    host, _, port = settings.api.listen.rpartition(":")
    config = uvicorn.Config(
        create_app(services),
        host=host.strip("[]"),
        port=int(port),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=settings.api.tls_certificate,
        ssl_keyfile=settings.api.tls_key,
    )
    config.load()
    _LOG.info("listening", address=settings.api.listen, url=settings.api.url)
    following = asyncio.create_task(shown.follow(config.ssl)) if shown and config.ssl else None
    try:
        await _Server(config, services).serve()
    finally:
        if following is not None:
            following.cancel()


def _certificate(settings: configuration.ApiSettings) -> ShownCertificate | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    shown = ShownCertificate(settings.tls_certificate, settings.tls_key)
    shown.check()
    return shown


def main() -> None:
    """Entry point of ``pavane-api``."""
    settings = configuration.load()
    configure(settings.log)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()

"""Liveness, readiness and metrics of a process that has no HTTP API of its own."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_LOG = logging.getLogger(__name__)


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


Check = Callable[[], Awaitable[None]]
"""Returns when the named thing is fine, raises when it is not."""


class HealthServer:
    """Serves ``/healthz``, ``/readyz`` (each check by name) and ``/metrics``."""

    def __init__(self, listen: str, checks: Mapping[str, Check], metrics_url: str) -> None:
        self._checks = checks
        self._metrics_url = metrics_url
        # Its own metrics are read without TLS; to be able to verify costs a tenth of the start.
        self._http = httpx.AsyncClient(timeout=5, verify=False)  # noqa: S501 - plain HTTP, loopback
        host, _, port = listen.rpartition(":")
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(
                    routes=[
                        Route("/healthz", self._healthz),
                        Route("/readyz", self._readyz),
                        Route("/metrics", self._metrics),
                    ]
                ),
                host=host,
                port=int(port),
                log_config=None,
                access_log=False,
                lifespan="off",
            )
        )
        # The process decides about its signals, not the HTTP server inside it.
        self._server.capture_signals = _no_signals  # type: ignore[method-assign]

    async def serve(self) -> None:
        """Serves until cancelled or stopped."""
        await self._server.serve()

    async def stop(self) -> None:
        """Ends ``serve``."""
        self._server.should_exit = True
        await self._http.aclose()

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        answer: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                await check()
            except Exception as error:  # noqa: BLE001 - any reason is a reason not to be ready
                answer[name] = f"{type(error).__name__}: {error}"[:200]
            else:
                answer[name] = "ok"
        ready = all(value == "ok" for value in answer.values())
        return JSONResponse(answer, status_code=200 if ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        try:
            answer = await self._http.get(self._metrics_url)
        except httpx.HTTPError as error:
            _LOG.warning("metrics of the Temporal SDK cannot be read: %s", error)
            return PlainTextResponse("", status_code=503)
        return Response(answer.content, media_type="text/plain; version=0.0.4")

"""The gate: an HTTP proxy between the worker and the API server that can misbehave.

It stands in the worker's way only; everything else of the stack speaks to the API server directly,
so that a fault of "the network of the plane" does not break the stack itself.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

from devstack.faults.model import Manner

_DELAY = 2.0
_LARGEST_BODY = 64 * 1024 * 1024
_HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
_WRITES = {"PATCH", "PUT"}
_EXPIRED = {
    "type": "ERROR",
    "object": {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": "too old resource version",
        "reason": "Expired",
        "code": 410,
    },
}


class Gate:
    """Serves HTTPS with the stack's own certificates and passes everything on."""

    def __init__(
        self, upstream: str, port: int, *, serving: ssl.SSLContext, client: ssl.SSLContext
    ) -> None:
        """Takes the URL of the API server and the two sides' certificates."""
        self._upstream = upstream
        self._port = port
        self._serving = serving
        self._client_tls = client
        self._manners: set[Manner] = set()
        self._talking = asyncio.Event()
        self._talking.set()
        self._watches: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._client: aiohttp.ClientSession | None = None
        self.passed = 0
        """Requests that reached the API server."""

    async def open(self) -> None:
        """Begins to listen; nothing happens when it does already."""
        if self._runner is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._client_tls, limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=15),
                auto_decompress=False,
            )
            app = web.Application(client_max_size=_LARGEST_BODY)
            app.router.add_route("*", "/{path:.*}", self._serve)
            # Without cancellation a watch would go on here after its reader went away.
            self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
            await self._runner.setup()
        if self._site is None:
            self._site = web.TCPSite(
                self._runner, "127.0.0.1", self._port, ssl_context=self._serving
            )
            await self._site.start()

    async def cut(self) -> None:
        """Breaks all connections and refuses new ones, until `open`."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        server = self._runner.server if self._runner is not None else None
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        """Ends the gate for good."""
        await self.cut()
        self._talking.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._client is not None:
            await self._client.close()
            self._client = None

    def misbehave(self, manner: Manner) -> None:
        """Begins one way of misbehaving; several add up."""
        self._manners.add(manner)
        if manner is Manner.SILENT:
            self._talking.clear()

    def behave(self, manner: Manner) -> None:
        """Ends one way of misbehaving; what was held back goes on."""
        self._manners.discard(manner)
        if manner is Manner.SILENT:
            self._talking.set()

    def expire_watches(self) -> int:
        """Ends every running watch with the event that its version is too old; says how many."""
        for watch in self._watches:
            watch.cancel()
        return len(self._watches)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Breaks the near connection when the far one breaks: the gate has no faults of its own."""
        try:
            return await self._answer(request)
        except (aiohttp.ClientError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if Manner.SLOW in self._manners:
            await asyncio.sleep(_DELAY)
        await self._talking.wait()
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.read()
        assert self._client is not None  # noqa: S101 - open() made it before anything was served
        self.passed += 1
        async with self._client.request(
            request.method,
            URL(f"{self._upstream}{request.raw_path}", encoded=True),
            data=body or None,
            headers=_passed_on(request.headers),
            allow_redirects=False,
        ) as far:
            near = web.StreamResponse(status=far.status, headers=_passed_on(far.headers))
            await near.prepare(request)
            await self._copy(request, far.content, near)
            with contextlib.suppress(ConnectionError):
                await near.write_eof()
            return near

    async def _copy(
        self, request: web.Request, far: aiohttp.StreamReader, near: web.StreamResponse
    ) -> None:
        tail = bytearray()
        copying = asyncio.create_task(self._stream(far, near, tail))
        if "watch" in request.query:
            self._watches.add(copying)
        try:
            await copying
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not copying.cancelled() or (current is not None and current.cancelling()):
                copying.cancel()
                raise
            if not tail or tail.endswith(b"\n"):  # else an event was cut in two: just end
                await near.write(json.dumps(_EXPIRED).encode() + b"\n")
        finally:
            self._watches.discard(copying)

    async def _stream(
        self, far: aiohttp.StreamReader, near: web.StreamResponse, tail: bytearray
    ) -> None:
        async for part in far.iter_any():
            await self._talking.wait()
            tail[:] = part[-1:]
            await asyncio.shield(near.write(part))

    def _refusal(self, request: web.Request) -> web.Response | None:
        if Manner.BUSY in self._manners:
            return _status(429, "TooManyRequests", "the gate is busy", {"Retry-After": "1"})
        if Manner.BROKEN in self._manners:
            return _status(500, "InternalError", "the gate is broken", {})
        if Manner.CONFLICTING in self._manners and request.method in _WRITES:
            message = "the object has been modified; please apply your changes to the latest"
            return _status(409, "Conflict", message, {})
        return None


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def _status(code: int, reason: str, message: str, headers: Mapping[str, str]) -> web.Response:
    content = {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return web.json_response(content, status=code, headers=dict(headers))

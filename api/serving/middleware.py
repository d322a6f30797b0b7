"""What happens to every request before and after its route: id, size limit, log line, metrics.

Plain ASGI, so that streamed answers pass through part by part.
"""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.serving import metrics
from api.serving.problems import TooLarge, problem

_LOG = structlog.stdlib.get_logger("api.access")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/healthz", "/readyz", "/metrics"}
_SERVER_FAULT = 500


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


class RequestLog:
    """Gives each request an id, logs one line when it ends and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with ``state.request_id`` set and the header in the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = _SERVER_FAULT

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id), metrics.in_flight():
            try:
                await self._app(scope, receive, answer)
            finally:
                _done(scope, status, time.perf_counter() - started)


def _done(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    metrics.observe(scope["method"], route, status, seconds)
    if scope["path"] in _QUIET:
        return
    _LOG.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        route=route,
        status=int(status),
        ms=round(seconds * 1000, 1),
        actor=scope.get("state", {}).get("actor", ""),
        client=(scope.get("client") or ("",))[0],
    )


class BodyLimit:
    """Refuses bodies over a limit, by the announced length or while they arrive."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _header(scope, b"content-length")
        if announced.isdigit() and int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise _Exceeded
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _Exceeded:
            if started:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(f"the request body is larger than {self._limit} bytes")
        request_id = str(scope.get("state", {}).get("request_id", ""))
        answer = problem(error, request_id=request_id, instance=scope["path"])
        answer.headers["connection"] = "close"
        await answer(scope, receive, send)


class _Exceeded(BaseException):
    """Passes every handler of ordinary errors on its way out to the limit."""

"""An API server that answers as a test says, for faults the real one cannot be made to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedApi:
    """Remembers requests and lets the test answer them."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.handler: Handler | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.path == "/api/v1":
            return web.json_response(
                {"resources": [{"name": "pods", "kind": "Pod", "namespaced": True},
                               {"name": "pods/log", "kind": "Pod", "namespaced": True},
                               {"name": "secrets", "kind": "Secret", "namespaced": True}]}
            )  # fmt: skip
        assert self.handler is not None
        return await self.handler(request)

    def answers(self, code: int, body: dict[str, Any], **headers: str) -> None:
        """Gives every request the same answer."""

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=code, headers=headers)

        self.handler = handler


def kubeconfig_for(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": "t0ken"}}],
    }

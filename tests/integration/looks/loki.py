"""A log store of a test, which speaks as much of Loki's HTTP API as Pavane asks. It is no Loki.

It answers questions for metrics as well, as a Prometheus that finds nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Self

from aiohttp import web

_MATCHER = re.compile(r'([a-zA-Z_]\w*)(=~|!~|=)("(?:[^"\\]|\\.)*")')
_HOLDS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


class LogStoreOfATest:
    """Keeps what it is told and answers range queries over it."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, dict[str, str], str]] = []
        self.refusal = ""
        """What it answers instead, with 500; empty = it answers."""
        self.wants: dict[str, str] = {}
        """Headers without which it answers 401, with what it was told instead."""
        self._runner: web.AppRunner | None = None
        self.url = ""

    @classmethod
    async def start(cls) -> Self:
        store = cls()
        app = web.Application()
        app.router.add_get("/loki/api/v1/query_range", store._range)
        app.router.add_get("/loki/api/v1/labels", store._labels)
        app.router.add_post("/api/v1/query", store._measured)
        store._runner = web.AppRunner(app)
        await store._runner.setup()
        await web.TCPSite(store._runner, "127.0.0.1", 0).start()
        store.url = f"http://127.0.0.1:{store._runner.addresses[0][1]}"
        return store

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def keep(self, nanoseconds: int, namespace: str, pod: str, text: str) -> None:
        labels = {"namespace": namespace, "pod": pod, "container": "main"}
        self._entries.append((nanoseconds, labels, text))

    async def _labels(self, request: web.Request) -> web.Response:
        return self._refused(request) or web.json_response({"status": "success", "data": []})

    async def _measured(self, request: web.Request) -> web.Response:
        data = {"resultType": "vector", "result": []}
        return self._refused(request) or web.json_response({"status": "success", "data": data})

    def _refused(self, request: web.Request) -> web.Response | None:
        told = {name: request.headers.get(name, "nothing") for name in self.wants}
        if told != self.wants:
            return web.Response(status=401, text=f"not {sorted(told.values())}")
        return web.Response(status=500, text=self.refusal) if self.refusal else None

    async def _range(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        asked = request.query
        wanted = [
            (label, _HOLDS[sign], json.loads(value))
            for label, sign, value in _MATCHER.findall(asked["query"])
        ]
        begin, end = int(asked["start"]), int(asked["end"])
        found = sorted(
            (
                entry
                for entry in self._entries
                if begin <= entry[0] < end
                and all(holds(entry[1].get(label, ""), value) for label, holds, value in wanted)
            ),
            key=lambda entry: entry[0],
        )[: int(asked["limit"])]
        streams = [{"stream": labels, "values": [[str(at), text]]} for at, labels, text in found]
        data = {"resultType": "streams", "result": streams}
        return web.json_response({"status": "success", "data": data})

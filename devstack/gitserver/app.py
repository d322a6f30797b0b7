"""The HTTP face of the Git server."""

import asyncio
import base64
import binascii
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack.gitserver import backend
from devstack.gitserver.outbox import Outbox
from devstack.gitserver.payload import push_payload
from devstack.gitserver.repositories import Repository, find, present

_RECEIVE = "git-receive-pack"
_SERVED = {("GET", "info/refs"), ("POST", "git-upload-pack"), ("POST", _RECEIVE)}
_NOBODY = ""
"""A push of nobody in particular: the server asks for no names."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where the server keeps things, and whom it tells."""

    folder: Path
    secrets: Path
    api: str
    base: str
    """The address of the server itself, as clients know it."""
    pushers: frozenset[str]
    """The addresses that may push; everybody may read."""


class GitServer:
    """Serves the repositories below one folder."""

    def __init__(self, options: Options) -> None:
        """Reads nothing yet; `app` does, when it starts."""
        self._options = options
        self._root = options.folder / "repositories"
        self._locks: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._outbox: Outbox | None = None

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/healthz", _healthy),
                Route(
                    "/{organization}/{name}.git/{service:path}",
                    self._serve,
                    methods=["GET", "POST"],
                ),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False) as client:
            outbox = Outbox(
                self._options.folder / "outbox", self._options.secrets, self._options.api, client
            )
            self._outbox = outbox
            outbox.resume()
            # A push that ended together with an earlier process was not announced yet.
            for repository in present(self._root):
                await self._announce(repository, _NOBODY)
            yield
            await outbox.close()

    async def _serve(self, request: Request) -> Response:
        parameters = request.path_params
        repository = find(self._root, parameters["organization"], parameters["name"])
        if repository is None or (request.method, parameters["service"]) not in _SERVED:
            return PlainTextResponse("not found", HTTPStatus.NOT_FOUND)
        pushing = _RECEIVE in {parameters["service"], request.query_params.get("service")}
        if pushing and not self._may_push(request):
            return PlainTextResponse("this address may not push", HTTPStatus.FORBIDDEN)
        if pushing:
            await repository.create()
        user = _user_of(request)
        exchange = backend.Exchange(self._root, f"/{repository.path}/{parameters['service']}", user)

        async def finished() -> None:
            if parameters["service"] == _RECEIVE:
                await self._announce(repository, user)

        return await backend.answer(request, exchange, finished)

    def _may_push(self, request: Request) -> bool:
        return request.client is not None and request.client.host in self._options.pushers

    async def _announce(self, repository: Repository, pusher: str) -> None:
        """Puts every change into the outbox once; told twice only when interrupted in between."""
        if self._outbox is None:
            return
        async with self._locks[repository.folder]:
            for change in await repository.changes():
                payload = await push_payload(repository, change, self._options.base, pusher)
                self._outbox.add(repository.organization, payload)
                await repository.mark_announced(change)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


def _user_of(request: Request) -> str:
    """The name a client gave; it is a name for logs, not a proof."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name = base64.b64decode(encoded).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return _NOBODY
        return name or _NOBODY
    return _NOBODY

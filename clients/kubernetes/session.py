"""One HTTP session to one API server: configuration, connections, time limits, errors."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.request import getproxies

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from pydantic_core import from_json, to_json

from clients.kubernetes.errors import cut, from_answer
from clients.kubernetes.sources import FileSource, Source, Withdrawn
from domain.deliveries.planes import CREDENTIALS
from domain.errors import DependencyUnavailable, Errored

_LOG = logging.getLogger(__name__)
_AT_ONCE = 32
"""Requests that are on their way at the same time; more only open connections, whose handshakes
cost more than the requests. What streams (watches, logs) does not count."""
_KEEPALIVE_SECONDS = 60
"""Below the 90 s after which API servers close idle connections."""
_RELOAD_SECONDS = 10
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=15, sock_read=45)
_CONNECT_TIMEOUT = 15
_SUCCESS = range(200, 300)


class _Transport(RESTClientObject):
    """The package's TLS and proxy handling, with connections that notice a dead peer."""

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=0,
            ssl=getattr(self.configuration, "context", self.ssl_context),
            keepalive_timeout=_KEEPALIVE_SECONDS,
            socket_factory=_socket,
        )

    def open(self) -> aiohttp.ClientSession:
        """Makes the session.

        Without a proxy in the environment it is not told to trust that: aiohttp would look for
        and read ``.netrc`` before every request.
        """
        self.configuration.client_session_kwargs = {"trust_env": bool(getproxies())}
        return self._create_pool_manager()


def _socket(info: tuple[Any, ...]) -> socket.socket:
    """Makes a socket that fails half a minute after its peer vanished without a word.

    A watch or a followed log may be silent for minutes, so silence alone cannot tell.
    """
    family, kind, protocol, _, _ = info
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made


class Session:
    """Sends requests to one API server. Made by ``open``, ended by ``close``."""

    def __init__(self, source: Source, user_agent: str) -> None:
        """Connects with the first request."""
        self._source = source
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._connection: tuple[Configuration, aiohttp.ClientSession] | None = None
        self._streams: set[aiohttp.ClientResponse] = set()
        """Closing their session does not end them."""
        self._closed = False
        self._looked = -math.inf
        self._reading = asyncio.Lock()
        self._missing = ""
        """Why there are no credentials; empty = there are, or nobody has looked."""
        self._hands = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    async def open(cls, kubeconfig: Path | None, context: str | None, user_agent: str) -> Self:
        """Reads the configuration; no request is sent.

        Raises:
            Errored: There is no usable configuration.
        """
        file = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
        session = cls(FileSource(file, context), user_agent)
        await session.renew()
        return session

    async def close(self) -> None:
        """Closes all connections; running requests fail."""
        self._closed = True
        await self._disconnect()

    async def renew(self) -> None:
        """Reads the credentials again. All connections are closed when they are others, or gone.

        Raises:
            DependencyUnavailable: There are none, or whoever keeps them does not answer.
            Errored: The configuration of this process is not usable.
        """
        async with self._reading:
            self._looked = time.monotonic()
            known = self._connection[0] if self._connection else None
            try:
                found = await self._source.read(known)
            except Withdrawn as error:
                self._missing = str(error)
                await self._disconnect()
                raise self._not_usable(self._missing) from None
            self._missing = ""
            if found is not known:
                await self._disconnect()
                self._connection = found, _Transport(found).open()

    async def _disconnect(self) -> None:
        if self._connection is not None:
            _, http = self._connection
            self._connection = None
            for stream in list(self._streams):
                stream.close()
            await http.close()

    async def _connected(self) -> tuple[Configuration, aiohttp.ClientSession]:
        """Returns what requests go by; who waits for credentials does not ask for them always."""
        if self._closed:
            raise aiohttp.ClientConnectionError("this client was closed")
        if self._connection is None:
            if self._missing and time.monotonic() - self._looked < _RELOAD_SECONDS:
                raise self._not_usable(self._missing)
            await self.renew()
        if self._connection is None:
            raise aiohttp.ClientConnectionError("the credentials were changed meanwhile")
        return self._connection

    async def json(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        confidential: bool = False,
        urgent: bool = False,
    ) -> dict[str, Any]:
        """Sends one request and returns the object of the answer.

        Every request of this class is idempotent by its kind or by the names inside it, so one
        whose reused connection turned out to be closed is sent once more. ``urgent`` = it waits
        for no other request.
        """
        data = None if body is None else to_json(body)
        sent = self._response(
            method, path, _TIMEOUT, params=params, data=data, content_type=content_type
        )
        try:
            async with nullcontext() if urgent else self._hands, sent as response:
                code, answer = response.status, await response.read()
                retry_after = response.headers.get("Retry-After", "")
        except aiohttp.ClientResponseError as error:
            raise DependencyUnavailable(f"{what}: {cut(error.message)}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(what, error) from error
        if code not in _SUCCESS:
            raise self._refusal(code, what) or from_answer(
                code, answer, what=what, retry_after=retry_after, confidential=confidential
            )
        parsed = from_json(answer)
        if not isinstance(parsed, dict):
            raise Errored(f"{what}: the API server answered with something that is no object")
        return parsed

    @asynccontextmanager
    async def stream(
        self, path: str, *, what: str, params: Mapping[str, str], read_timeout: float
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Opens an answer that goes on; ``read_timeout`` limits the silence between two parts."""
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_TIMEOUT, sock_read=read_timeout
        )
        try:
            async with self._response("GET", path, limits, params=params) as response:
                if response.status not in _SUCCESS:
                    retry_after = response.headers.get("Retry-After", "")
                    answer = await response.read()
                    raise self._refusal(response.status, what) or from_answer(
                        response.status, answer, what=what, retry_after=retry_after
                    )
                self._streams.add(response)
                try:
                    yield response.content
                finally:
                    self._streams.discard(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(what, error) from error

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - limits of aiohttp, by phase
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        content_type: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        for attempt in (1, 2):
            configuration, http = await self._connected()
            headers = await self._request_headers(configuration, content_type if data else "")
            if http.closed:
                raise aiohttp.ClientConnectionError("the credentials were changed meanwhile")
            try:
                response = await http.request(
                    method,
                    f"{configuration.host}{path}",
                    params=params,
                    data=data,
                    timeout=timeout,
                    headers=headers,
                    allow_redirects=False,
                    proxy=configuration.proxy or None,
                    server_hostname=configuration.tls_server_name or None,
                )
            except aiohttp.ServerDisconnectedError:
                if attempt == 1:
                    continue
                raise
            if response.status == HTTPStatus.UNAUTHORIZED and attempt == 1 and await self._reload():
                response.release()
                continue
            async with response:
                yield response
            return

    async def _request_headers(
        self, configuration: Configuration, content_type: str
    ) -> dict[str, str]:
        headers = dict(self._headers)
        settings = await configuration.auth_settings()
        if token := settings.get("BearerToken"):
            headers["Authorization"] = str(token["value"])
        if content_type:
            headers["Content-Type"] = content_type
        return headers

    def _refusal(self, code: int, what: str) -> DependencyUnavailable | None:
        """Returns the error when credentials are refused that somebody may still mend."""
        if code != HTTPStatus.UNAUTHORIZED or not self._source.what:
            return None
        return self._not_usable(f"{what}: the API server refuses the {self._source.what}")

    def _not_usable(self, message: str) -> DependencyUnavailable:
        return DependencyUnavailable(message, facts={CREDENTIALS: self._source.what})

    async def _reload(self) -> bool:
        """Reads the credentials again after they were refused, but not each time."""
        if time.monotonic() - self._looked < _RELOAD_SECONDS:
            return False
        _LOG.info("credentials were refused, reading them again")
        await self.renew()
        return True


def unreachable(what: str, error: BaseException) -> DependencyUnavailable:
    """Returns the error for an API server that gave no answer."""
    reason = cut(str(error)) or type(error).__name__
    return DependencyUnavailable(f"{what}: no answer from the API server: {reason}")

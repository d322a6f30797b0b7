"""One HTTP session to one API server: configuration, connections, time limits, errors."""

from __future__ import annotations

import asyncio
import logging
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
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from pydantic_core import from_json, to_json

from clients.kubernetes.errors import cut, from_answer
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
            ssl=self.ssl_context,
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

    def __init__(
        self,
        configuration: Configuration,
        http: aiohttp.ClientSession,
        source: tuple[str, str | None],
        user_agent: str,
    ) -> None:
        self._configuration = configuration
        self._http = http
        self._source = source
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._loaded = time.monotonic()
        self._hands = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    async def open(cls, kubeconfig: Path | None, context: str | None, user_agent: str) -> Self:
        """Reads the configuration; no request is sent.

        Raises:
            Errored: There is no usable configuration.
        """
        file = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
        configuration = Configuration()
        source = (file, context)
        await _load(configuration, source)
        return cls(configuration, _Transport(configuration).open(), source, user_agent)

    async def close(self) -> None:
        """Closes all connections; running requests fail."""
        await self._http.close()

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
            raise from_answer(
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
                    raise from_answer(response.status, answer, what=what, retry_after=retry_after)
                yield response.content
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
            if self._http.closed:
                raise aiohttp.ClientConnectionError("this client was closed")
            try:
                response = await self._http.request(
                    method,
                    f"{self._configuration.host}{path}",
                    params=params,
                    data=data,
                    timeout=timeout,
                    headers=await self._request_headers(content_type if data else ""),
                    allow_redirects=False,
                    proxy=self._configuration.proxy or None,
                    server_hostname=self._configuration.tls_server_name or None,
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

    async def _request_headers(self, content_type: str) -> dict[str, str]:
        headers = dict(self._headers)
        settings = await self._configuration.auth_settings()
        if token := settings.get("BearerToken"):
            headers["Authorization"] = str(token["value"])
        if content_type:
            headers["Content-Type"] = content_type
        return headers

    async def _reload(self) -> bool:
        """Reads the credentials again, since tokens of files and plugins expire."""
        if time.monotonic() - self._loaded < _RELOAD_SECONDS:
            return False
        self._loaded = time.monotonic()
        _LOG.info("credentials were refused, reading the configuration again")
        await _load(self._configuration, self._source)
        return True


def unreachable(what: str, error: BaseException) -> DependencyUnavailable:
    """Returns the error for an API server that gave no answer."""
    reason = cut(str(error)) or type(error).__name__
    return DependencyUnavailable(f"{what}: no answer from the API server: {reason}")


async def _load(configuration: Configuration, source: tuple[str, str | None]) -> None:
    file, context = source
    try:
        if file:
            await load_kube_config(  # type: ignore[no-untyped-call]  # the package has none
                config_file=file, context=context, client_configuration=configuration
            )
        elif os.environ.get("KUBERNETES_SERVICE_HOST"):
            await asyncio.to_thread(load_incluster_config, client_configuration=configuration)
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]  # the package has none
                context=context, client_configuration=configuration
            )
    except (ConfigException, OSError) as error:
        message = f"Kubernetes configuration {file or 'of this process'}: {cut(str(error))}"
        raise Errored(message) from error

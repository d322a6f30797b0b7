"""One question at a time over HTTP, bounded in time, size and number, for all who ask so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from clients.web.asker import Asker, trusting
from domain.errors import DependencyUnavailable, InvalidRequest

_AT_ONCE = 20
_MOST_AUTHORITIES = 32
UNANSWERED = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
"""What is raised where nobody answers."""


class Web:
    """The connections of one process to web servers, kept open between questions.

    Follows no redirects, heeds no proxy of the environment and keeps no cookies: tenants share it.
    """

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``transport`` is for tests."""
        self._transport = transport
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def client(self, authority: str = "") -> httpx.AsyncClient:
        """Returns what asks servers that are known by these certificates; one for each such set.

        Raises:
            InvalidRequest: These are no certificates.
        """
        found = self._clients.get(authority)
        if found is None:
            found = self._clients[authority] = self._made(authority)
        if len(self._clients) > _MOST_AUTHORITIES:
            # Who asks there at this moment has no answer, and asks again.
            oldest = next(iter(self._clients))
            await self._clients.pop(oldest).aclose()
        return found

    async def close(self) -> None:
        """Closes all connections."""
        while self._clients:
            await self._clients.popitem()[1].aclose()

    def _made(self, authority: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=trusting(authority) if authority else True,
            transport=self._transport,
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    content: bytes


class WebReader:
    """Asks one kind of system, some twenty at once."""

    def __init__(self, web: Web | None, what: str, largest: int = 0) -> None:
        """Prepares.

        Args:
            web: Its connections. None = connections of its own.
            what: What errors call the system.
            largest: Most bytes of an answer that are read.
        """
        self._web = web or Web()
        self._what = what
        self._largest = largest
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def get(
        self, url: str, path: str, params: Mapping[str, str], who: Asker, timeout_seconds: float
    ) -> Answer:
        """Returns the answer to a GET of a path below an address.

        Raises:
            DependencyUnavailable: It does not answer within the time.
            InvalidRequest: It answers with more than is read.
        """
        address = f"{url.rstrip('/')}/{path}"
        return await self._read(
            url, "GET", address, who=who, timeout_seconds=timeout_seconds, params=dict(params)
        )

    async def post(
        self, url: str, path: str, data: Mapping[str, str], who: Asker, timeout_seconds: float
    ) -> Answer:
        """Returns the answer to a form that is sent to such a path; raises as ``get`` does."""
        address = f"{url.rstrip('/')}/{path}"
        return await self._read(
            url, "POST", address, who=who, timeout_seconds=timeout_seconds, data=dict(data)
        )

    async def status(
        self, address: httpx.URL, headers: Mapping[str, str], timeout_seconds: float
    ) -> tuple[int, timedelta]:
        """Returns how a GET is answered and how long that took, and reads nothing of it.

        Raises one of ``UNANSWERED`` when it is not.
        """
        http = await self._web.client()
        async with self._turns, asyncio.timeout(timeout_seconds):
            began = time.monotonic()
            async with http.stream(
                "GET", address, headers=dict(headers), timeout=timeout_seconds
            ) as answer:
                return answer.status_code, timedelta(seconds=time.monotonic() - began)

    async def _read(
        self, url: str, method: str, address: str, *, who: Asker, timeout_seconds: float,
        **asked: Mapping[str, str],
    ) -> Answer:  # fmt: skip
        try:
            async with self._answer(method, address, who, timeout_seconds, **asked) as answer:
                content = bytearray()
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > self._largest:
                        more = f"answered more than {self._largest} bytes"
                        raise InvalidRequest(f"{self._what} at {url} {more}")
                return Answer(answer.status_code, bytes(content))
        except UNANSWERED as error:
            raise DependencyUnavailable(
                f"{self._what} at {url} did not answer within {timeout_seconds:g} s: "
                f"{type(error).__name__}"
            ) from error

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        address: str,
        who: Asker,
        timeout_seconds: float,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        http = await self._web.client(who.authority)
        async with (
            self._turns,
            asyncio.timeout(timeout_seconds),
            http.stream(
                method,
                address,
                headers=dict(who.headers),
                params=params,
                data=data,
                timeout=timeout_seconds,
            ) as answer,
        ):
            yield answer

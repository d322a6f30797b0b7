"""Asks a component over HTTP as somebody outside would, and says how it answered."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx

_MOST_CONNECTIONS = 20
_LOCAL = ".localhost"
_OK = range(200, 400)


@dataclass(frozen=True)
class ProbeAnswer:
    """How it answered."""

    passed: bool
    reason: str
    message: str


class Probes:
    """Makes single requests. Neither follows redirects nor reads what is answered."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``transport`` is for tests."""
        self._transport = transport
        self._turns = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def ask(
        self, url: str, *, statuses: tuple[int, ...] = (), timeout_seconds: float = 10
    ) -> ProbeAnswer:
        """Makes one request and judges its status; no answer is an answer too."""
        async with self._turns:
            began = time.monotonic()
            try:
                async with asyncio.timeout(timeout_seconds):
                    status = await self._status(url, timeout_seconds)
            except TimeoutError:
                return ProbeAnswer(
                    passed=False,
                    reason="Timeout",
                    message=f"{url} did not answer within {timeout_seconds:g} s",
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                message = f"{url} does not answer: {type(error).__name__}"
                return ProbeAnswer(passed=False, reason="NoAnswer", message=message)
        took = f"{(time.monotonic() - began) * 1000:.0f} ms"
        if status in (statuses or _OK):
            return ProbeAnswer(passed=True, reason="Answered", message=f"{status} after {took}")
        return ProbeAnswer(
            passed=False, reason=f"Status{status}", message=f"{url} answered {status}"
        )

    async def _status(self, url: str, timeout_seconds: float) -> int:
        address, headers = _resolved(httpx.URL(url))
        async with (
            httpx.AsyncClient(
                timeout=timeout_seconds,
                transport=self._transport,
                follow_redirects=False,
                trust_env=False,
            ) as http,
            http.stream("GET", address, headers=headers) as answer,
        ):
            return answer.status_code


def _resolved(url: httpx.URL) -> tuple[httpx.URL, dict[str, str]]:
    """Names below ``localhost`` are this machine (RFC 6761), which not every resolver knows."""
    headers = {"User-Agent": "pavane-check"}
    if url.scheme != "http" or not url.host.endswith(_LOCAL):
        return url, headers
    return url.copy_with(host="127.0.0.1"), {**headers, "Host": url.netloc.decode()}

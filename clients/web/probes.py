"""Asks a component over HTTP as somebody outside would, and says how it answered."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from clients.web.reader import UNANSWERED, Web, WebReader

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

    def __init__(self, web: Web | None = None) -> None:
        """``web`` are its connections. None = connections of its own."""
        self._reader = WebReader(web, "component")

    async def ask(
        self, url: str, *, statuses: tuple[int, ...] = (), timeout_seconds: float = 10
    ) -> ProbeAnswer:
        """Makes one request and judges its status; no answer is an answer too."""
        try:
            address, headers = _resolved(httpx.URL(url))
            status, lasted = await self._reader.status(address, headers, timeout_seconds)
        except TimeoutError:
            return ProbeAnswer(
                passed=False,
                reason="Timeout",
                message=f"{url} did not answer within {timeout_seconds:g} s",
            )
        except UNANSWERED as error:
            message = f"{url} does not answer: {type(error).__name__}"
            return ProbeAnswer(passed=False, reason="NoAnswer", message=message)
        took = f"{lasted.total_seconds() * 1000:.0f} ms"
        if status in (statuses or _OK):
            return ProbeAnswer(passed=True, reason="Answered", message=f"{status} after {took}")
        return ProbeAnswer(
            passed=False, reason=f"Status{status}", message=f"{url} answered {status}"
        )


def _resolved(url: httpx.URL) -> tuple[httpx.URL, dict[str, str]]:
    """Names below ``localhost`` are this machine (RFC 6761), which not every resolver knows."""
    # Whether somebody new gets through is asked, so no connection is used twice.
    headers = {"User-Agent": "pavane-check", "Connection": "close"}
    if url.scheme != "http" or not url.host.endswith(_LOCAL):
        return url, headers
    return url.copy_with(host="127.0.0.1"), {**headers, "Host": url.netloc.decode()}

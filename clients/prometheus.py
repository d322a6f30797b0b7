"""Asks a Prometheus what it measures now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import DependencyUnavailable, InvalidRequest

_LARGEST = 1024 * 1024
_MOST_CONNECTIONS = 20
_MOST_SERIES = 20
_SAID = 300


class _Series(BaseModel):
    metric: dict[str, str] = {}
    value: tuple[float, str]


class _Found(BaseModel):
    kind: str = Field(alias="resultType")
    result: tuple[Any, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: _Found


class _Refusal(BaseModel):
    error: str = ""


class Prometheus:
    """Asks single questions. Follows no redirects and reads no more than 1 MB."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``transport`` is for tests."""
        self._transport = transport
        self._turns = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def query(self, url: str, query: str, *, timeout_seconds: float = 10) -> tuple[str, ...]:
        """Returns the first twenty series of an instant query, each in words with its value.

        Raises:
            DependencyUnavailable: It does not answer.
            InvalidRequest: It refuses the query, or answers with something else than series.
        """
        try:
            async with self._turns, asyncio.timeout(timeout_seconds):
                status, content = await self._ask(url, query, timeout_seconds)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise DependencyUnavailable(
                f"Prometheus at {url} did not answer within {timeout_seconds:g} s: "
                f"{type(error).__name__}"
            ) from error
        if status == httpx.codes.OK:
            return _series(url, content)
        if status in {httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY}:
            raise InvalidRequest(f"Prometheus at {url} refused the query: {_refusal(content)}")
        raise DependencyUnavailable(f"Prometheus at {url} answered {status}")

    async def _ask(self, url: str, query: str, timeout_seconds: float) -> tuple[int, bytes]:
        async with (
            httpx.AsyncClient(
                timeout=timeout_seconds,
                transport=self._transport,
                follow_redirects=False,
                trust_env=False,
            ) as http,
            http.stream("POST", f"{url.rstrip('/')}/api/v1/query", data={"query": query}) as answer,
        ):
            content = b""
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _LARGEST:
                    raise InvalidRequest(f"Prometheus at {url} answered more than {_LARGEST} bytes")
            return answer.status_code, content


def _series(url: str, content: bytes) -> tuple[str, ...]:
    try:
        found = _Answer.model_validate_json(content).data
        if found.kind == "vector":
            series = [_Series.model_validate(one) for one in found.result[:_MOST_SERIES]]
            return tuple(_said(one.metric, one.value[1]) for one in series)
    except ValidationError:
        raise InvalidRequest(f"{url} did not answer a query as a Prometheus does") from None
    raise InvalidRequest(f"the query gives a {found.kind}, not series: compare series with a value")


def _said(metric: Mapping[str, str], value: str) -> str:
    labels = ", ".join(f"{name}={text}" for name, text in sorted(metric.items()))
    return f"{labels or 'the value'}: {value}"[:_SAID]


def _refusal(content: bytes) -> str:
    try:
        return _Refusal.model_validate_json(content).error[:_SAID]
    except ValidationError:
        return "it did not say why"

"""Asks a Prometheus what it measures now."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clients.web.asker import ANONYMOUS, Asker
from clients.web.reader import Web, WebReader
from domain.errors import DependencyUnavailable, InvalidRequest

_LARGEST = 1024 * 1024
_MOST_SERIES = 20
_SAID = 300
_REFUSED = "it does not know who asks, or refuses them (spec.credentials of the ObservabilityPlane)"


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

    def __init__(self, web: Web | None = None) -> None:
        """``web`` are its connections. None = connections of its own."""
        self._reader = WebReader(web, "Prometheus", _LARGEST)

    async def query(
        self, url: str, query: str, *, who: Asker = ANONYMOUS, timeout_seconds: float = 10
    ) -> tuple[str, ...]:
        """Returns the first twenty series of an instant query, each in words with its value.

        Raises:
            DependencyUnavailable: It does not answer.
            InvalidRequest: It refuses the query or who asks, or answers with something else than
                series.
        """
        asked = {"query": query}
        answer = await self._reader.post(url, "api/v1/query", asked, who, timeout_seconds)
        if answer.status == HTTPStatus.OK:
            return _series(url, answer.content)
        if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            said = who.hidden(_refusal(answer.content))[:_SAID]
            raise InvalidRequest(f"Prometheus at {url} refused the query: {said}")
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise InvalidRequest(f"Prometheus at {url} answered {answer.status}: {_REFUSED}")
        raise DependencyUnavailable(f"Prometheus at {url} answered {answer.status}")


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
        return _Refusal.model_validate_json(content).error
    except ValidationError:
        return "it did not say why"

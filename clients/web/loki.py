"""Reads what a log store keeps, by the HTTP API of Loki."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clients.web.asker import ANONYMOUS, Asker
from clients.web.reader import Web, WebReader
from domain.errors import DependencyUnavailable, InvalidRequest

_LARGEST = 16 * 1024 * 1024
_PAGE = 1000
"""Entries of one answer; a Loki refuses more than 5,000 unless it is told otherwise."""
_SAID = 300


@dataclass(frozen=True)
class LogEntry:
    """What somebody wrote at once."""

    at: int
    """Nanoseconds since 1970."""
    labels: Mapping[str, str]
    text: str

    @property
    def key(self) -> tuple[int, str, str]:
        """What makes it another one: a store keeps equal ones of a stream once."""
        return self.at, str(sorted(self.labels.items())), self.text


def _first_two(value: object) -> object:
    """A newer Loki tells more of an entry behind them."""
    return value[:2] if isinstance(value, list) else value


class _Stream(BaseModel):
    stream: dict[str, str] = {}
    values: tuple[Annotated[tuple[int, str], BeforeValidator(_first_two)], ...] = ()


class _Found(BaseModel):
    kind: str = Field(alias="resultType")
    result: tuple[_Stream, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: _Found


class Loki:
    """Asks log stores. Follows no redirects and reads no more than 16 MB at once."""

    def __init__(
        self, web: Web | None = None, *, page: int = _PAGE, timeout_seconds: float = 10
    ) -> None:
        """``page``, the entries of one answer, is for tests."""
        self._reader = WebReader(web, "log store", _LARGEST)
        self._page_size = page
        self._timeout = timeout_seconds

    async def check(self, url: str, *, who: Asker = ANONYMOUS, timeout_seconds: float) -> None:
        """Returns when it answers as a Loki does.

        Raises:
            DependencyUnavailable: It does not answer.
            InvalidRequest: What answers is no Loki, or refuses who asks.
        """
        await self._asked(url, "labels", {}, who, timeout_seconds)

    async def entries(
        self, url: str, query: str, begin: int, end: int, who: Asker = ANONYMOUS
    ) -> AsyncGenerator[LogEntry, None]:
        """Yields what was written, the oldest first.

        Of one nanosecond no more entries are told than an answer has.

        Args:
            url: Of the log store.
            query: In LogQL.
            begin: First nanosecond since 1970.
            end: Nanosecond before which it ends.
            who: Who asks.

        Raises:
            DependencyUnavailable: It does not answer.
            InvalidRequest: It refuses the query, or answers with something else than lines.
        """
        told: set[tuple[int, str, str]] = set()
        while begin < end:
            page = await self._page(url, query, begin, end, who)
            fresh = [one for one in page if one.key not in told]
            for one in fresh:
                yield one
            if len(page) < self._page_size:
                return
            last = page[-1].at
            # Whoever asks from the last moment on is told that moment again.
            told = {one.key for one in page if one.at == last}
            begin = last if fresh else last + 1

    async def _page(self, url: str, query: str, begin: int, end: int, who: Asker) -> list[LogEntry]:
        content = await self._asked(
            url,
            "query_range",
            {
                "query": query,
                "start": str(begin),
                "end": str(end),
                "limit": str(self._page_size),
                "direction": "forward",
            },
            who,
            self._timeout,
        )
        try:
            found = _Answer.model_validate_json(content).data
        except ValidationError:
            raise InvalidRequest(f"{url} did not answer a query as a Loki does") from None
        if found.kind != "streams":
            raise InvalidRequest(f"log store at {url} answered with {found.kind}, not with lines")
        entries = [
            LogEntry(at, each.stream, text) for each in found.result for at, text in each.values
        ]
        return sorted(entries, key=lambda one: one.at)

    async def _asked(
        self, url: str, what: str, params: Mapping[str, str], who: Asker, timeout_seconds: float
    ) -> bytes:
        path = f"loki/api/v1/{what}"
        answer = await self._reader.get(url, path, params, who, timeout_seconds)
        if answer.status == HTTPStatus.OK:
            return answer.content
        said = who.hidden(answer.content.decode(errors="replace"))[:_SAID].strip()
        message = f"log store at {url} answered {answer.status}: {said}"
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise InvalidRequest(message)
        raise DependencyUnavailable(message)

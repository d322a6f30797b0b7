from __future__ import annotations

import json

import httpx
import pytest

from clients.web import LogEntry, Loki, Web
from domain.errors import DependencyUnavailable, InvalidRequest

URL = "http://logs.test:3100/"
POD = {"pod": "web-1", "namespace": "acme-shop-dev"}


def keeping(*entries: tuple[int, str], page: int = 3) -> Loki:
    """A store of one stream, which answers as Loki does: the first entries of the range."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        assert request.url.path == "/loki/api/v1/query_range"
        assert (asked["query"], asked["direction"]) == ('{pod="web-1"}', "forward")
        begin, end = int(asked["start"]), int(asked["end"])
        found = [(str(at), text) for at, text in entries if begin <= at < end]
        streams = [{"stream": POD, "values": found[: int(asked["limit"])]}]
        return httpx.Response(200, json={"data": {"resultType": "streams", "result": streams}})

    return Loki(Web(transport=httpx.MockTransport(answer)), page=page)


def answering(status: int, body: object) -> Loki:
    content = body if isinstance(body, str) else json.dumps(body)
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    return Loki(Web(transport=transport))


async def read(loki: Loki, begin: int = 0, end: int = 100) -> list[LogEntry]:
    return [one async for one in loki.entries(URL, '{pod="web-1"}', begin, end)]


async def test_all_of_a_time_is_read_page_after_page_and_nothing_twice() -> None:
    written = [(10, "a"), (20, "b"), (30, "c"), (30, "d"), (40, "e"), (50, "f"), (60, "g")]

    found = await read(keeping(*written), begin=20, end=60)

    assert [(one.at, one.text) for one in found] == written[1:6]
    assert found[0].labels == POD


async def test_a_moment_with_more_than_a_page_does_not_hold_up_what_follows() -> None:
    written = [(10, "a"), (10, "b"), (10, "c"), (10, "d"), (20, "e")]

    assert [one.text for one in await read(keeping(*written))] == ["a", "b", "c", "e"]


async def test_streams_are_told_in_the_order_of_time_and_more_than_a_line_is_left_out() -> None:
    streams = [
        {"stream": {"pod": "web-2"}, "values": [["30", "late", {"traceID": "one"}]]},
        {"stream": {"pod": "web-1"}, "values": [["10", "early"]]},
    ]
    loki = answering(200, {"data": {"resultType": "streams", "result": streams}})

    assert [one.text for one in await read(loki)] == ["early", "late"]


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, "the query time range exceeds the limit", InvalidRequest, "400: the query time"),
        (401, "no org id", InvalidRequest, "401: no org id"),
        (200, "<html>", InvalidRequest, "as a Loki does"),
        (200, {"data": {"resultType": "matrix", "result": []}}, InvalidRequest, "with matrix"),
        (503, "starting", DependencyUnavailable, "answered 503: starting"),
        (200, "x" * 17_000_000, InvalidRequest, "more than"),
    ],
)
async def test_what_is_no_answer_is_an_error_that_says_why(
    status: int, body: object, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await read(answering(status, body))


async def test_a_log_store_that_is_away_is_told_with_its_address() -> None:
    with pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1:1 did not answer"):
        await Loki().check("http://127.0.0.1:1", timeout_seconds=5)

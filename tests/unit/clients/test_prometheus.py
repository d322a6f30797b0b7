from __future__ import annotations

import json
from urllib.parse import parse_qs

import httpx
import pytest

from clients.web import Prometheus, Web
from domain.errors import DependencyUnavailable, InvalidRequest

URL = "http://prometheus.test:9090/"


def answering(status: int, body: object) -> Prometheus:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://prometheus.test:9090/api/v1/query"
        assert parse_qs(request.content.decode()) == {"query": ["up == 0"]}
        return httpx.Response(status, content=body if isinstance(body, str) else json.dumps(body))

    return Prometheus(Web(transport=httpx.MockTransport(answer)))


def vector(*series: object) -> object:
    return {"status": "success", "data": {"resultType": "vector", "result": series}}


async def test_each_series_is_told_with_its_labels_and_value() -> None:
    down = {"metric": {"job": "web", "instance": "one"}, "value": [1.5, "0"]}

    assert await answering(200, vector(down)).query(URL, "up == 0") == ("instance=one, job=web: 0",)
    assert await answering(200, vector()).query(URL, "up == 0") == ()


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, {"status": "error", "error": "parse error"}, InvalidRequest, "parse error"),
        (200, "<html>", InvalidRequest, "as a Prometheus does"),
        (200, {"data": {"resultType": "scalar", "result": [1.5, "0"]}}, InvalidRequest, "a scalar"),
        (401, "<html>", InvalidRequest, "answered 401: it does not know who asks"),
        (503, {}, DependencyUnavailable, "answered 503"),
        (200, "x" * 1_100_000, InvalidRequest, "more than"),
    ],
)
async def test_what_is_no_answer_is_an_error_that_says_why(
    status: int, body: object, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await answering(status, body).query(URL, "up == 0")


async def test_a_prometheus_that_is_away_is_told_with_its_address() -> None:
    with pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1:1"):
        await Prometheus().query("http://127.0.0.1:1", "up", timeout_seconds=5)

"""Prometheus metrics of the API process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

_REQUESTS = Counter("pavane_api_requests", "Answered requests.", ("method", "route", "status"))
_SECONDS = Histogram(
    "pavane_api_request_seconds",
    "Time until the answer was complete.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
_IN_FLIGHT = Gauge("pavane_api_requests_in_flight", "Requests being answered, streams included.")
WEBHOOKS = Counter(
    "pavane_api_webhooks", "Webhook deliveries by what came of them.", ("provider", "outcome")
)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one answered request under its route's template, never under its path."""
    _REQUESTS.labels(method, route, str(int(status))).inc()
    _SECONDS.labels(method, route).observe(seconds)


@contextmanager
def in_flight() -> Iterator[None]:
    """Counts a request while the block lasts."""
    with _IN_FLIGHT.track_inprogress():
        yield

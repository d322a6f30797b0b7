from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.ports import free_port
from runtime.probe import ready

pytestmark = pytest.mark.unit


class Process(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Process)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def listens(api: int, worker: int) -> dict[str, str]:
    return {"PAVANE_API__LISTEN": f"0.0.0.0:{api}", "PAVANE_WORKER__LISTEN": f"0.0.0.0:{worker}"}


def test_a_container_is_ready_when_the_process_in_it_says_so(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ready(listens(port, free_port()))
    assert ready(listens(free_port(), port))
    monkeypatch.setattr(Process, "status", 503)
    assert not ready(listens(port, free_port()))


def test_a_container_in_which_nothing_listens_is_not_ready() -> None:
    assert not ready(listens(free_port(), free_port()))

"""Fixtures of the program tests: a server of releases and a place to keep programs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.devstack_programs.samples import ReleaseServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def do_GET(self) -> None:
            releases.downloads.append(self.path)
            releases.waiting.set()
            releases.gate.wait(30)
            if self.path in releases.after:
                releases.after[self.path].wait(30)
            content = releases.content.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.end_headers()
            self.wfile.write(content or b"")
            if self.path in releases.endless:
                self.pour(releases.endless[self.path])

        def pour(self, began: threading.Event) -> None:
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x" * 65536)
                    began.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base says so
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    releases = ReleaseServer(f"http://127.0.0.1:{http.server_port}")
    releases.gate.set()
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield releases
    releases.gate.set()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def all_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAVANE_PROGRAM_SOURCES", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "programs"

"""A steady stream of requests to one URL, to see whether any of them fails."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import httpx

_PAUSE_SECONDS = 0.05


class Load:
    """Asks a URL about twenty times a second while the block lasts; one at a time."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.requests = 0
        """Requests that were answered or failed."""
        self.failed = 0
        """Requests without an answer, or with one of 500 and above."""
        self._url = url
        self._headers = headers
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._end.wait(_PAUSE_SECONDS):
                self.requests += 1
                try:
                    answer = client.get(self._url, headers=self._headers)
                except httpx.HTTPError:
                    self.failed += 1
                else:
                    self.failed += answer.is_server_error

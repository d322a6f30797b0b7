"""Speaks HTTP with the API and turns its problem documents into problems."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from cli.errors import ExitCode, Problem
from cli.profile import Profile

_TIMEOUT = httpx.Timeout(30, connect=5)
_STREAM_TIMEOUT = httpx.Timeout(60, connect=5)
"""The API sends a heartbeat every 15 seconds."""
_LOG_TIMEOUT = httpx.Timeout(None, connect=5)
_RECONNECTS = 20
_RETRIED = {429, 502, 503, 504}
_RETRIES = 2


class Api:
    """The API of the current context, as one person."""

    def __init__(self, profile: Profile, *, anonymous: bool = False) -> None:
        self.profile = profile
        headers = {"User-Agent": "pavane-cli"}
        if not anonymous:
            headers["Authorization"] = f"Bearer {profile.token().value}"
        url = profile.url.value
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=_TIMEOUT,
            follow_redirects=False,
            # All authorities are read to verify anything, which takes longer than the request.
            verify=not url.startswith("http://"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Reads; tried again when the API is busy for a moment."""
        return self._send("GET", path, params=_given(params))

    def post(self, path: str, body: Any, **params: Any) -> Any:
        """Orders; carries an idempotency key, so trying again never orders twice."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return self._send("POST", path, params=_given(params), json=body, headers=headers)

    def delete(self, path: str, **params: Any) -> Any:
        """Deletes."""
        return self._send("DELETE", path, params=_given(params))

    def lines(self, path: str, **params: Any) -> Iterator[str]:
        """Yields the lines of a log as they arrive."""
        with (
            _explained(self._where("GET", path)),
            self._http.stream("GET", path, params=_given(params), timeout=_LOG_TIMEOUT) as answer,
        ):
            self._check(answer, "GET", path)
            yield from answer.iter_lines()

    def follow(self, operation_id: str) -> Iterator[dict[str, Any]]:
        """Yields an operation after each change until it is over.

        A lost connection is taken up again where it broke.
        """
        path = f"/v1/operations/{operation_id}"
        last_id, failures = "", 0
        while True:
            try:
                for event_id, operation in self._events(f"{path}/events", "operation", last_id):
                    last_id, failures = event_id, 0
                    yield operation
                    if operation["finished"]:
                        return
            except httpx.TransportError as error:
                failures += 1
                if failures > _RECONNECTS:
                    raise _unreachable(error, self._where("GET", path)) from error
                time.sleep(min(failures, 5))
            operation = self.get(path)
            yield operation
            if operation["finished"]:
                return

    def changes(self, path: str, kind: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yields what is told at each change, for ever; a lost connection is taken up again."""
        failures = 0
        while True:
            try:
                for _, told in self._events(path, kind, "", **params):
                    failures = 0
                    yield told
            except httpx.TransportError as error:
                failures += 1
                if failures > _RECONNECTS:
                    raise _unreachable(error, self._where("GET", path)) from error
            time.sleep(min(failures + 1, 5))

    def _events(
        self, path: str, kind: str, last_id: str, **params: Any
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._http.stream(
            "GET", path, headers=headers, params=_given(params), timeout=_STREAM_TIMEOUT
        ) as answer:
            self._check(answer, "GET", path)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(":")
                if line and name:
                    fields[name] = value.removeprefix(" ")
                elif not line:
                    if fields.get("event") == kind:
                        yield fields.get("id", last_id), json.loads(fields["data"])
                    fields = {}

    def _send(self, method: str, path: str, **rest: Any) -> Any:
        with _explained(self._where(method, path)):
            answer = self._http.request(method, path, **rest)
            for _ in range(_RETRIES):
                if answer.status_code not in _RETRIED:
                    break
                time.sleep(min(float(answer.headers.get("Retry-After", "1")), 5))
                answer = self._http.request(method, path, **rest)
        self._check(answer, method, path)
        return answer.json() if answer.content else None

    def _check(self, answer: httpx.Response, method: str, path: str) -> None:
        if answer.is_success:
            return
        answer.read()
        try:
            body = answer.json()
        except ValueError:
            body = None
        raise Problem.from_answer(answer.status_code, body, self._where(method, path))

    def _where(self, method: str, path: str) -> str:
        return f"{method} {self.profile.url.value}{path}"


def _given(params: dict[str, Any]) -> dict[str, Any]:
    named = {name: value for name, value in params.items() if value not in ("", None, False)}
    return {name: "true" if value is True else value for name, value in named.items()}


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise _unreachable(error, where) from error


def _unreachable(error: Exception, where: str) -> Problem:
    return Problem(
        f"the API does not answer: {str(error) or type(error).__name__}",
        title="API unreachable",
        where=where,
        advice=(
            "Is it running (`pavane stack status`)? Is its address right (`pavane config view`)?"
        ),
        code=ExitCode.UNAVAILABLE,
    )

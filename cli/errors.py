"""What goes wrong, with an exit code and words for people.

Exit codes: 0 done, 1 the operation did not succeed, 2 wrong usage or an invalid request, 3 not
found, 4 not logged in or not allowed, 5 something is unavailable, 6 conflict, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Any


class ExitCode(IntEnum):
    """How the command ended, for scripts."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    DENIED = 4
    UNAVAILABLE = 5
    CONFLICT = 6
    INTERRUPTED = 130


_BY_STATUS: dict[int, ExitCode] = {
    400: ExitCode.USAGE,
    401: ExitCode.DENIED,
    403: ExitCode.DENIED,
    404: ExitCode.NOT_FOUND,
    405: ExitCode.USAGE,
    409: ExitCode.CONFLICT,
    413: ExitCode.USAGE,
    422: ExitCode.USAGE,
    429: ExitCode.UNAVAILABLE,
    502: ExitCode.UNAVAILABLE,
    503: ExitCode.UNAVAILABLE,
    504: ExitCode.UNAVAILABLE,
}
_ADVICE: dict[str, str] = {
    "NotFound": "See what there is: `pavane get organizations`, `pavane get components`.",
    "FieldConflict": "Change the fields where they are managed, or take them over with --force.",
    "InvalidRequest": "Correct the request and try again.",
    "TooLarge": "Apply fewer manifests at once.",
}


class Problem(Exception):
    """A command cannot go on. Says what, where, why and what to do."""

    def __init__(
        self,
        what: str,
        *,
        title: str = "",
        where: str = "",
        facts: Mapping[str, str] | None = None,
        advice: str = "",
        code: ExitCode = ExitCode.FAILED,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.title = title or "Error"
        self.where = where
        self.facts = dict(facts or {})
        self.advice = advice
        self.code = code

    @classmethod
    def from_answer(cls, status: int, body: Any, where: str) -> Problem:
        """Returns the problem for an answer of the API, whether it explains itself or not."""
        document = body if isinstance(body, Mapping) else {}
        name = str(document.get("type", "")).rpartition(":")[2]
        request_id = str(document.get("requestId", ""))
        if status == HTTPStatus.NOT_FOUND and "/v1/operations/" in where:
            operation = where.partition("/v1/operations/")[2].removesuffix("/events")
            document = {
                **document,
                "title": "Not found",
                "detail": f"there is no operation {operation}",
                "advice": "See what there is: `pavane operations list`.",
            }
        return cls(
            str(document.get("detail") or f"the server answered with status {status}"),
            title=str(document.get("title") or "Error"),
            where=f"{where} (request {request_id})" if request_id else where,
            facts=document.get("facts"),
            advice=str(document.get("advice", "")) or _ADVICE.get(name, ""),
            code=_BY_STATUS.get(status, ExitCode.FAILED),
        )


def not_logged_in(url: str, *, expired: bool = False) -> Problem:
    """Returns the problem of having no token for an API, or none that is still good."""
    return Problem(
        f"the token for {url} has expired" if expired else f"there is no token for {url}",
        title="Not logged in",
        advice="Log in with `pavane login`, or set PAVANE_TOKEN.",
        code=ExitCode.DENIED,
    )

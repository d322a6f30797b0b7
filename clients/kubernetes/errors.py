"""Translates answers of an API server into the domain's errors.

Texts are cut and, for kinds that hold secrets, reduced to reasons and field names, because API
servers quote rejected values.
"""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

from domain.errors import (
    Conflict,
    Denied,
    DependencyUnavailable,
    Errored,
    FieldConflict,
    InvalidRequest,
    NotFound,
    PlatformError,
    RateLimited,
    StaleRevision,
)

TEXT_LIMIT = 256
_RETRY_AFTER = timedelta(seconds=1)
_RBAC = re.compile(r'User "[^"]*" cannot ')
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_INVALID = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


class Expired(DependencyUnavailable):
    """The resource version is too old: the caller must list again."""


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Returns ``text`` on one line and no longer than ``limit``."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def from_answer(
    code: int, body: bytes, *, what: str, retry_after: str = "", confidential: bool = False
) -> PlatformError:
    """Returns the error for an answer that is not a success.

    Args:
        code: HTTP status.
        body: Body of the answer, a ``Status`` object or anything a proxy says.
        what: Subject and place, such as ``Deployment web in acme``.
        retry_after: Header of that name.
        confidential: Leave out everything the server quotes.
    """
    status = _parsed(body) or {"message": body[: 4 * TEXT_LIMIT].decode(errors="replace")}
    return from_status(code, status, what=what, retry_after=retry_after, confidential=confidential)


def from_status(  # noqa: PLR0911 - one line for each kind of answer
    code: int,
    status: dict[str, Any],
    *,
    what: str,
    retry_after: str = "",
    confidential: bool = False,
) -> PlatformError:
    """Returns the error for a ``Status`` object, as in the error event of a watch."""
    text = _text(status, confidential=confidential)
    if code == HTTPStatus.CONFLICT:
        return _conflict(status, what, text)
    if code == HTTPStatus.FORBIDDEN:
        return _forbidden(status, what, text)
    if code == HTTPStatus.NOT_FOUND:
        return NotFound(f"{what}: not found")
    if code == HTTPStatus.GONE:
        return Expired(f"{what}: resource version is too old")
    if code in _INVALID or _is_wrong_type(status):
        return InvalidRequest(f"{what}: {text}", facts=_fields(status, confidential=confidential))
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"{what}: too many requests", retry_after=_seconds(retry_after))
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return DependencyUnavailable(f"{what}: the API server answered {code}: {text}")
    if code == HTTPStatus.UNAUTHORIZED:
        return Errored(f"{what}: the API server does not accept the platform's credentials")
    return Errored(f"{what}: the API server answered {code}: {text}")


def _is_wrong_type(status: dict[str, Any]) -> bool:
    """Server-side apply answers 500 when a field of the object has the wrong type."""
    return str(status.get("message", "")).startswith("failed to create typed patch object")


def _conflict(status: dict[str, Any], what: str, text: str) -> PlatformError:
    owners = {
        str(cause.get("field", "")): _manager(str(cause.get("message", "")))
        for cause in _causes(status)
        if cause.get("reason") == "FieldManagerConflict"
    }
    if owners:
        named = ", ".join(f"{field} ({owner})" for field, owner in sorted(owners.items()))
        return FieldConflict(f"{what}: owned by others: {cut(named)}", facts=owners)
    if status.get("reason") == "AlreadyExists":
        return Conflict(f"{what}: already exists")
    return StaleRevision(f"{what}: {text}")


def _forbidden(status: dict[str, Any], what: str, text: str) -> PlatformError:
    """Tells the platform's own missing rights apart from a policy that refuses the object."""
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status)):
        return Conflict(f"{what}: the namespace is being deleted")
    if _RBAC.search(str(status.get("message", ""))):
        return Errored(f"{what}: the platform has not the right to do this: {text}")
    return Denied(f"{what}: {text}")


def _manager(message: str) -> str:
    """Names the manager as the server does: ``kubectl`` or ``kubectl using apps/v1``."""
    found = _MANAGER.search(message)
    return found["manager"] if found else "unknown"


def _text(status: dict[str, Any], *, confidential: bool) -> str:
    if confidential:
        fields = ", ".join(str(cause.get("field", "")) for cause in _causes(status))
        return cut(f"{status.get('reason', 'refused')} {fields}")
    return cut(str(status.get("message", "") or status.get("reason", "")))


def _fields(status: dict[str, Any], *, confidential: bool) -> dict[str, str]:
    return {
        str(cause["field"]): (
            str(cause.get("reason", "")) if confidential else cut(str(cause.get("message", "")))
        )
        for cause in _causes(status)
        if cause.get("field")
    }


def _causes(status: dict[str, Any]) -> list[dict[str, Any]]:
    details = status.get("details") or {}
    return [cause for cause in details.get("causes") or [] if isinstance(cause, dict)]


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = from_json(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _seconds(header: str) -> timedelta:
    return timedelta(seconds=int(header)) if header.isdigit() else _RETRY_AFTER

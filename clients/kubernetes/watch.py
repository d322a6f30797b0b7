"""One watch: one connection that reports changes until the server or the network ends it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import from_json

from clients.kubernetes.errors import from_status
from clients.kubernetes.kinds import Kind
from clients.kubernetes.session import Session
from domain.errors import DependencyUnavailable

Object: TypeAlias = dict[str, Any]

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
_ERROR = "ERROR"
_SERVER_SECONDS = 290
_SILENCE_SECONDS = _SERVER_SECONDS + 10
"""The server ends a watch before this; a longer silence means that it is gone."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """A change of an object."""

    type: str
    """``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``."""
    object: Object
    """The object after the change; before it when it was deleted. Shared: never change it."""


def resource_version(obj: Object) -> str:
    """Returns the version at which the object was read."""
    return str(obj.get("metadata", {}).get("resourceVersion", ""))


async def watch(
    session: Session,
    kind: Kind,
    *,
    namespace: str = "",
    labels: str = "",
    fields: str = "",
    resource_version: str = "",
) -> AsyncGenerator[WatchEvent, None]:
    """Yields the changes after ``resource_version`` and ends when the server ends the connection.

    Raises:
        Expired: The version is too old, told by status or by an event.
        DependencyUnavailable: The connection broke.
    """
    what = f"watch of {kind.describe(namespace=namespace)}"
    params = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(_SERVER_SECONDS),
        "resourceVersion": resource_version,
        "labelSelector": labels,
        "fieldSelector": fields,
    }
    given = {name: value for name, value in params.items() if value}
    async with session.stream(
        kind.path(namespace), what=what, params=given, read_timeout=_SILENCE_SECONDS
    ) as content:
        while line := await content.readline():
            yield _event(line, what)


def _event(line: bytes, what: str) -> WatchEvent:
    try:
        raw = from_json(line)
        event = WatchEvent(raw["type"], raw["object"])
    except (ValueError, KeyError, TypeError) as error:
        # The connection was cut within a line; what was lost comes again from the last version.
        raise DependencyUnavailable(f"{what}: broken event") from error
    if event.type == _ERROR:
        raise from_status(int(event.object.get("code", 500)), event.object, what=what)
    return event

"""Who owns which field of an object, as the API server keeps it in ``metadata.managedFields``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from domain.ids import FIELD_MANAGER, TENANT_MANAGER, content_hash
from domain.policies.objects import LiveObject

ListKey: TypeAlias = tuple[tuple[str, str | int], ...]
"""What tells one entry of a list from the others: names and values of its key fields."""
Path: TypeAlias = tuple[str | int | ListKey, ...]
"""Fields (text), entries of lists by key, entries of lists by index (number)."""

_STATUS = "status"
_OURS = {FIELD_MANAGER, TENANT_MANAGER}


def manager_of(live: LiveObject, path: Path) -> str:
    """Returns the manager other than Pavane that owns a field, the latest one of several.

    Empty when there is none, as for a field that somebody removed.
    """
    owners = [entry for entry in _foreign(live) if _contains(entry.get("fieldsV1") or {}, path)]
    latest = max(owners, key=lambda entry: str(entry.get("time", "")), default=None)
    return "" if latest is None else str(latest.get("manager", ""))


def is_owned(live: LiveObject, path: Path) -> bool:
    """Tells whether Pavane still owns a field, alone or with others."""
    return any(
        entry.get("manager") == FIELD_MANAGER and _contains(entry.get("fieldsV1") or {}, path)
        for entry in _entries(live)
    )


def is_written(live: LiveObject) -> bool:
    """Tells whether Pavane wrote anything of the object."""
    return any(entry.get("manager") in _OURS for entry in _written(live))


def foreign_marks(live: LiveObject) -> str:
    """Returns a short text that changes when another manager writes; empty while none owns a field.

    It needs no knowledge of what is wanted: an applied object whose every field is Pavane's has no
    other writer but those of its status. The text is made of who wrote, when and at which
    generation, so a second change by the same manager is another text. Who only removes fields
    owns none: see ``own_marks``.
    """
    marks = sorted(
        (str(entry.get("manager", "")), str(entry.get("operation", "")), str(entry.get("time", "")))
        for entry in _foreign(live)
    )
    if not marks:
        return ""
    return content_hash([marks, live.get("metadata", {}).get("generation", 0)])[:16]


def own_marks(live: LiveObject) -> tuple[str, str]:
    """Returns when Pavane wrote last and a hash of the fields it owns.

    The API server moves the time when Pavane writes, and leaves it when another manager removes or
    takes over a field: other fields at an equal time are somebody else's doing.
    """
    own = [entry for entry in _written(live) if entry.get("manager") == FIELD_MANAGER]
    times = sorted(str(entry.get("time", "")) for entry in own)
    fields = sorted(content_hash(entry.get("fieldsV1") or {}) for entry in own)
    return ",".join(times), content_hash(fields)[:16]


def _entries(live: LiveObject) -> Iterator[Mapping[str, Any]]:
    yield from live.get("metadata", {}).get("managedFields") or ()


def _foreign(live: LiveObject) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in _written(live) if entry.get("manager") not in _OURS)


def _written(live: LiveObject) -> Iterator[Mapping[str, Any]]:
    """Yields what is known of writers of anything but the status, which is nobody's wish."""
    return (entry for entry in _entries(live) if entry.get("subresource", "") != _STATUS)


def _contains(fields: Mapping[str, Any], path: Path) -> bool:
    """Tells whether a set of fields has a path, or has a whole above it that is owned as one."""
    node: Any = fields
    for depth, step in enumerate(path):
        if not node:
            return depth > 0
        node = _child(node, step)
        if node is None:
            return False
    return True


def _child(node: Mapping[str, Any], step: str | int | ListKey) -> Any:
    if isinstance(step, str):
        return node.get(f"f:{step}")
    if isinstance(step, int):
        return node.get(f"i:{step}")
    wanted = dict(step)
    for name, child in node.items():
        if name.startswith("k:") and json.loads(name[2:]) == wanted:
            return child
    return None

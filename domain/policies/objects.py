"""Small readings of Kubernetes objects as the API server gives them (JSON dictionaries)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

LiveObject = Mapping[str, Any]


def name_of(live: LiveObject) -> str:
    """Returns ``metadata.name``."""
    return str(live.get("metadata", {}).get("name", ""))


def condition(live: LiveObject, kind: str) -> Mapping[str, Any]:
    """Returns the condition of that type, an empty mapping when there is none."""
    return first_condition(live.get("status", {}).get("conditions"), kind)


def first_condition(conditions: Iterable[Mapping[str, Any]] | None, kind: str) -> Mapping[str, Any]:
    """Returns the condition of that type out of a list, an empty mapping when there is none."""
    for candidate in conditions or ():
        if candidate.get("type") == kind:
            return candidate
    return {}


def is_controlled_by(live: LiveObject, owner_uid: str) -> bool:
    """Tells whether the object's controller is the object with that uid."""
    owners = live.get("metadata", {}).get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == owner_uid for owner in owners)


def is_observed(live: LiveObject) -> bool:
    """Tells whether the controller has seen the latest specification."""
    wanted = int(live.get("metadata", {}).get("generation", 0))
    return int(live.get("status", {}).get("observedGeneration", 0)) >= wanted


def without_fields(
    wanted: Mapping[str, Any], paths: Iterable[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns a copy of an object without these fields, and which of them could be left out.

    Args:
        wanted: The object.
        paths: Fields as an API server names them in a conflict: ``.spec.replicas``. One inside a
            list (``.spec.containers[name="main"].image``) stays: its entry needs it.
    """
    copy: dict[str, Any] = deepcopy(dict(wanted))
    left = []
    for path in sorted(paths):
        *parents, last = path.removeprefix(".").split(".")
        holder: Any = copy
        for part in parents:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if "[" not in path and isinstance(holder, dict) and last in holder:
            del holder[last]
            left.append(path)
    return copy, tuple(left)


def moment(text: str | None) -> datetime | None:
    """Returns a Kubernetes time stamp as an aware time, None for an absent one."""
    if not text:
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def remaining(since: str | None, grace: timedelta, now: datetime) -> timedelta:
    """Returns what is left of a grace that began at ``since``; zero when it is used up.

    Without a time stamp the grace begins now.
    """
    began = moment(since) or now
    return max(began + grace - now, timedelta(0))

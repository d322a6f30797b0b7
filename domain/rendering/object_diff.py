"""The difference of two lists of objects as people read it: one line a field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.policies.managed_fields import Path
from domain.policies.shown_fields import display, shown

_ABSENT = object()


class FieldChange(BaseModel):
    """One field that is different."""

    model_config = ConfigDict(frozen=True)

    object: str
    """``Kind/name``."""
    field: str = ""
    """Its path; empty when the whole object is new or gone."""
    before: str = ""
    """Empty = it was not there."""
    after: str = ""
    """Empty = it is not there any more."""


def changes_between(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[FieldChange, ...]:
    """Returns what differs, by object and field; no value of an environment variable is in it."""
    old = {_key(one): one for one in before}
    new = {_key(one): one for one in after}
    found: list[FieldChange] = []
    for key in [*new, *(one for one in old if one not in new)]:
        subject = f"{key[1]}/{key[3]}"
        if key not in old:
            found.append(FieldChange(object=subject, after="new"))
        elif key not in new:
            found.append(FieldChange(object=subject, before="removed"))
        else:
            found += _of_object(subject, old[key], new[key])
    return tuple(found)


def _of_object(
    subject: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[FieldChange]:
    secret = new.get("kind") == "Secret"
    for path, before, after in _differences(old, new, ()):
        yield FieldChange(
            object=subject,
            field=display(path),
            before="" if before is _ABSENT else shown(path, before, secret=secret),
            after="" if after is _ABSENT else shown(path, after, secret=secret),
        )


def _differences(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(one for one in new if one not in old)]:
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and _named(old) and _named(new):
        before = {one["name"]: one for one in old}
        after = {one["name"]: one for one in new}
        for name in [*before, *(one for one in after if one not in before)]:
            step = (("name", name),)
            yield from _differences(
                before.get(name, _ABSENT), after.get(name, _ABSENT), (*path, step)
            )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before_entry, after_entry) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before_entry, after_entry, (*path, index))
    elif old != new:
        yield path, old, new


def _named(entries: list[Any]) -> bool:
    names = [one.get("name") if isinstance(one, Mapping) else None for one in entries]
    return None not in names and len(set(names)) == len(names)


def _key(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metadata = one["metadata"]
    return one["apiVersion"], one["kind"], metadata.get("namespace", ""), metadata["name"]

"""What a promotion would change of the objects that run: names and fields, never values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.deliveries.promotions import ChangedObject
from domain.rendering.diff import diff_objects, differing_fields


def differences(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> Iterable[ChangedObject]:
    """Yields what is added, changed and removed."""
    old, new = {said(one): one for one in before}, {said(one): one for one in after}
    diff = diff_objects(old.values(), new.values())
    for name in diff.added:
        yield ChangedObject(name=name, change="added")
    for name in diff.changed:
        fields = differing_fields(old[name], new[name])
        yield ChangedObject(name=name, change="changed", fields=fields)
    for ref in diff.prune:
        yield ChangedObject(name=f"{ref.kind}/{ref.name}", change="removed")


def said(obj: Mapping[str, Any]) -> str:
    """Names an object as ``Kind/name``."""
    return f"{obj['kind']}/{obj['metadata']['name']}"

"""What is to be done to get from the objects of one release to those of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.deliveries import ObjectRef
from domain.rendering.labels import SHARED


class ReleaseDiff(BaseModel):
    """The difference of two releases, as names."""

    model_config = ConfigDict(frozen=True)

    prune: tuple[ObjectRef, ...] = ()
    """What only the older release has, last applied first."""
    added: tuple[str, ...] = ()
    """``Kind/name``, in the order in which they are applied."""
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tells whether both are the same."""
        return not (self.prune or self.added or self.changed)


def diff_objects(
    previous: Iterable[Mapping[str, Any]], wanted: Iterable[Mapping[str, Any]]
) -> ReleaseDiff:
    """Compares the objects of two releases.

    Never prunes a namespace, nor anything else that other components have in common with this one.
    """
    before = {_ref(each): each for each in previous}
    after = {_ref(each): each for each in wanted}
    gone = [ref for ref in reversed(before) if ref not in after and not _is_shared(before[ref])]
    both = [ref for ref in after if ref in before]
    return ReleaseDiff(
        prune=tuple(gone),
        added=tuple(_said(ref) for ref in after if ref not in before),
        changed=tuple(_said(ref) for ref in both if before[ref] != after[ref]),
        unchanged=tuple(_said(ref) for ref in both if before[ref] == after[ref]),
    )


def _ref(live: Mapping[str, Any]) -> ObjectRef:
    metadata = live["metadata"]
    return ObjectRef(
        api_version=live["apiVersion"],
        kind=live["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
    )


def _is_shared(live: Mapping[str, Any]) -> bool:
    labels = live["metadata"].get("labels") or {}
    return live["kind"] == "Namespace" or labels.get(SHARED) == "true"


def _said(ref: ObjectRef) -> str:
    return f"{ref.kind}/{ref.name}"


def differing_fields(before: Any, after: Any, path: str = "") -> tuple[str, ...]:
    """Returns the paths at which two objects differ, sorted; never a value."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = sorted(before.keys() | after.keys())
        parts = [
            (f"{path}.{key}" if path else key, before.get(key), after.get(key)) for key in keys
        ]
    elif isinstance(before, Sequence) and isinstance(after, Sequence) and _are_lists(before, after):
        longest = max(len(before), len(after))
        both = zip(*(_padded(one, longest) for one in (before, after)), strict=True)
        parts = [(f"{path}[{index}]", old, new) for index, (old, new) in enumerate(both)]
    else:
        return () if before == after else (path,)
    return tuple(one for name, old, new in parts for one in differing_fields(old, new, name))


def _are_lists(*values: Any) -> bool:
    return not any(isinstance(value, str) for value in values)


def _padded(values: Sequence[Any], length: int) -> list[Any]:
    return [*values, *([None] * (length - len(values)))]

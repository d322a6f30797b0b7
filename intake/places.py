"""Which objects of a plane belong to which place, and whether somebody else touched them.

Knows no cluster and not what is wanted: it tells where a look is worthwhile.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from clients.kubernetes.watch import Object
from domain.ids import content_hash
from domain.policies.managed_fields import foreign_marks, own_marks
from domain.rendering import labels as names

_MARKS = "marks"
_OWN = "own"


class Place(NamedTuple):
    """A component in an environment; without a component, all of a project's."""

    organization: str
    project: str
    component: str
    environment: str


class _Key(NamedTuple):
    kind: str
    namespace: str
    name: str


def trimmed(obj: Object) -> Object:
    """Returns what is remembered of an object: whose it is, and the marks of other managers."""
    meta = obj["metadata"]
    kept: dict[str, Any] = {
        key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in meta
    }
    labels = meta.get("labels") or {}
    wanted = (names.ORGANIZATION, names.PROJECT, names.COMPONENT, names.ENVIRONMENT)
    kept["labels"] = {key: labels[key] for key in wanted if key in labels}
    marks = {_MARKS: foreign_marks(obj), _OWN: own_marks(obj)}
    return {"kind": obj["kind"], "metadata": kept, **marks}


def place_of(obj: Object) -> Place | None:
    """Returns the place an object says it belongs to, None when it says too little."""
    labels = obj["metadata"].get("labels") or {}
    place = Place(
        labels.get(names.ORGANIZATION, ""),
        labels.get(names.PROJECT, ""),
        labels.get(names.COMPONENT, ""),
        labels.get(names.ENVIRONMENT, ""),
    )
    return place if place.organization and place.environment else None


class Places:
    """What was seen of each place."""

    def __init__(self) -> None:
        self._present: defaultdict[Place, dict[_Key, str]] = defaultdict(dict)
        self._gone: defaultdict[Place, dict[_Key, str]] = defaultdict(dict)
        self._where: dict[_Key, Place] = {}
        self._own: dict[_Key, tuple[str, str]] = {}
        """When Pavane wrote an object last, and the fields it owned when that was first seen."""

    def put(self, obj: Object) -> set[Place]:
        """Takes over the present state of a trimmed object; returns the places it concerns."""
        key, place = _key(obj), place_of(obj)
        before = self._where.get(key)
        if before is not None and before != place:
            # Its labels were changed: at the place it had, it is missing.
            concerned = self._lose(key, before, obj)
            return concerned | self.put(obj)
        if place is None:
            return set()
        self._where[key] = place
        self._gone[place].pop(key, None)
        self._present[place][key] = f"{obj[_MARKS]}{self._lost(key, obj[_OWN])}"
        return self._concerned(place)

    def _lost(self, key: _Key, own: tuple[str, str]) -> str:
        """Returns a mark when Pavane owns other fields than after its last write."""
        known = self._own.get(key)
        if known is None or known[0] != own[0]:
            self._own[key] = own
            return ""
        return "" if known == own else own[1]

    def remove(self, obj: Object) -> set[Place]:
        """Notes that an object is gone; returns the places that concerns."""
        key = _key(obj)
        place = self._where.get(key)
        return set() if place is None else self._lose(key, place, obj)

    def all(self) -> set[Place]:
        """Returns every place that has an object of its own."""
        return {place for place, objects in self._present.items() if place.component and objects}

    def fingerprint(self, place: Place) -> str:
        """Returns a text that changes whenever somebody else touches the place; empty = nobody."""
        marks = [self._marks(one) for one in (place, place._replace(component=""))]
        return content_hash(marks)[:16] if any(marks) else ""

    def seen(self, place: Place) -> str:
        """Returns in words what makes the place worth a look."""
        shared = place._replace(component="")
        gone = [
            f"{key.kind}/{key.name} is gone" for one in (place, shared) for key in self._gone[one]
        ]
        changed = [
            f"{key.kind}/{key.name} was written by others"
            for one in (place, shared)
            for key, marks in self._present[one].items()
            if marks
        ]
        return "; ".join(sorted(gone) + sorted(changed))

    def forget(self, place: Place) -> bool:
        """Drops a place of which nothing is left; tells whether it was dropped."""
        if self._present[place]:
            return False
        del self._present[place]
        self._gone.pop(place, None)
        return True

    def _lose(self, key: _Key, place: Place, obj: Object) -> set[Place]:
        del self._where[key]
        self._own.pop(key, None)
        self._present[place].pop(key, None)
        self._gone[place][key] = str(obj["metadata"]["uid"])
        return self._concerned(place)

    def _marks(self, place: Place) -> list[tuple[str, ...]]:
        present = [(*key, marks) for key, marks in self._present[place].items() if marks]
        gone = [(*key, "gone", uid) for key, uid in self._gone[place].items()]
        return sorted(present) + sorted(gone)

    def _concerned(self, place: Place) -> set[Place]:
        if place.component:
            return {place}
        return {one for one in self.all() if one._replace(component="") == place}


def _key(obj: Object) -> _Key:
    meta = obj["metadata"]
    return _Key(str(obj["kind"]), str(meta.get("namespace", "")), str(meta["name"]))

"""What somebody else changed: the fields a release wants and the plane has otherwise.

Only what the release wants is compared (docs/decisions/0007): what the API server fills in and
fields that others add besides are no drift. Lists whose entries have a key are compared by key as
server-side apply merges them, all others as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from domain.deliveries.drift import DriftedField
from domain.errors import InvalidRequest
from domain.policies.managed_fields import ListKey, Path, is_owned, manager_of
from domain.policies.objects import LiveObject, name_of
from domain.policies.shown_fields import display, shown
from domain.rendering.quantities import amount

ObjectKey: TypeAlias = tuple[str, str, str]
"""Kind, namespace and name."""

_ABSENT = object()
_LIST_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "hostAliases": ("ip",),
}
"""Field -> keys of its entries, as the API's schema has them (``x-kubernetes-list-map-keys``)."""
_CONTAINER_PORT = ("containerPort", "protocol")
_SERVICE_PORT = ("port", "protocol")
_FILLED_KEYS = {"protocol": "TCP"}
_AMOUNTS = frozenset({"limits", "requests", "hard", "max", "min", "default", "defaultRequest"})
"""Mappings whose values are quantities."""
_AMOUNT_FIELDS = frozenset({"sizeLimit", "averageValue"})
_SCALERS = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
_REPLICAS: Path = ("spec", "replicas")


def drift_of(
    wanted: Sequence[Mapping[str, Any]], live: Mapping[ObjectKey, LiveObject | None]
) -> tuple[DriftedField, ...]:
    """Returns what differs between the objects of a release and those of a plane.

    ``live`` has None for an object that is gone. The replicas of what the release itself lets an
    autoscaler scale are the autoscaler's.
    """
    scaled = scaled_objects(wanted)
    return tuple(
        field
        for each in wanted
        for field in drifted_fields(each, live.get(key_of(each)), is_scaled=said(each) in scaled)
    )


def drifted_fields(
    wanted: Mapping[str, Any], live: LiveObject | None, *, is_scaled: bool = False
) -> tuple[DriftedField, ...]:
    """Returns the fields of one object that are different or absent; one entry when it is gone."""
    subject = said(wanted)
    if live is None:
        return (DriftedField(object=subject),)
    secret = wanted.get("kind") == "Secret"
    found = []
    for path, want, have in _differences(wanted, live):
        if is_scaled and path == _REPLICAS:
            continue
        found.append(
            DriftedField(
                object=subject,
                field=display(path),
                wanted=shown(path, want, secret=secret),
                live="" if have is _ABSENT else shown(path, have, secret=secret),
                manager=manager_of(live, path),
            )
        )
    return tuple(found)


def scaled_objects(wanted: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Returns ``Kind/name`` of what an autoscaler of the same release scales."""
    targets = (
        each.get("spec", {}).get("scaleTargetRef") or {}
        for each in wanted
        if each.get("kind") in _SCALERS
    )
    return frozenset(f"{one.get('kind', 'Deployment')}/{one.get('name', '')}" for one in targets)


def fewest_replicas(wanted: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Returns ``Kind/name`` of what an autoscaler scales -> the fewest replicas it lets it have."""
    return {
        target: int(each.get("spec", {}).get("minReplicas", 1))
        for each in wanted
        for target in scaled_objects([each])
    }


def as_put_back(
    wanted: Mapping[str, Any], live: LiveObject | None, *, is_scaled: bool
) -> dict[str, Any]:
    """Returns the object to apply: as wanted, but with the replicas an autoscaler chose."""
    spec = wanted.get("spec")
    if live is None or not is_scaled or not isinstance(spec, Mapping) or "replicas" not in spec:
        return dict(wanted)
    chosen = live.get("spec", {}).get("replicas", spec["replicas"])
    return {**wanted, "spec": {**spec, "replicas": chosen}}


def said(obj: Mapping[str, Any]) -> str:
    """Returns ``Kind/name``."""
    return f"{obj.get('kind', '')}/{name_of(obj)}"


def key_of(obj: Mapping[str, Any]) -> ObjectKey:
    """Returns what an object is found by."""
    return str(obj.get("kind", "")), str(obj["metadata"].get("namespace", "")), name_of(obj)


def _differences(wanted: Mapping[str, Any], live: LiveObject) -> Iterator[tuple[Path, Any, Any]]:
    for part in ("labels", "annotations"):
        want = wanted["metadata"].get(part) or {}
        yield from _of_mapping(want, live["metadata"].get(part) or {}, ("metadata", part), live)
    content = {
        key: value
        for key, value in wanted.items()
        if key not in {"apiVersion", "kind", "metadata", "status"}
    }
    yield from _of_mapping(content, live, (), live)


def _of(want: Any, have: Any, path: Path, live: LiveObject) -> Iterator[tuple[Path, Any, Any]]:
    if have is _ABSENT or have is None:
        # Servers drop empty values of optional fields; whether somebody removed one that matters
        # (false where the default is true) is told by its owner.
        if want is not None and (not _is_empty(want) or not is_owned(live, path)):
            yield path, want, _ABSENT
    elif isinstance(want, Mapping) and isinstance(have, Mapping):
        yield from _of_mapping(want, have, path, live)
    elif isinstance(want, list | tuple) and isinstance(have, list | tuple):
        yield from _of_list(want, have, path, live)
    elif not _is_same(want, have, path):
        yield path, want, have


def _of_mapping(
    want: Mapping[str, Any], have: Mapping[str, Any], path: Path, live: LiveObject
) -> Iterator[tuple[Path, Any, Any]]:
    for key, value in want.items():
        yield from _of(value, have.get(key, _ABSENT), (*path, key), live)


def _of_list(
    want: Sequence[Any], have: Sequence[Any], path: Path, live: LiveObject
) -> Iterator[tuple[Path, Any, Any]]:
    keys = _keys_of(path, want, live)
    if keys:
        found = {_entry_key(each, keys): each for each in have if isinstance(each, Mapping)}
        for entry in want:
            key = _entry_key(entry, keys)
            yield from _of(entry, found.get(key, _ABSENT), (*path, key), live)
        return
    if len(want) != len(have):
        yield path, want, have
        return
    for index, (one, other) in enumerate(zip(want, have, strict=True)):
        yield from _of(one, other, (*path, index), live)


def _keys_of(path: Path, want: Sequence[Any], live: LiveObject) -> tuple[str, ...]:
    """Returns what tells the entries of a list apart; nothing for a list that is one whole."""
    keys = _usual_keys(path, live)
    if not keys or not all(isinstance(each, Mapping) and keys[0] in each for each in want):
        return ()
    is_clear = len({_entry_key(each, keys) for each in want}) == len(want)
    return keys if is_clear else ()


def _usual_keys(path: Path, live: LiveObject) -> tuple[str, ...]:
    field = path[-1]
    if field != "ports":
        return _LIST_KEYS.get(field, ()) if isinstance(field, str) else ()
    if live.get("kind") == "Service" and path == ("spec", "ports"):
        return _SERVICE_PORT
    in_container = len(path) > 2 and path[-3] in {"containers", "initContainers"}  # noqa: PLR2004 - list, entry, field
    return _CONTAINER_PORT if in_container else ()


def _entry_key(entry: Mapping[str, Any], keys: tuple[str, ...]) -> ListKey:
    return tuple((key, entry.get(key, _FILLED_KEYS.get(key, ""))) for key in keys)


def _is_empty(value: Any) -> bool:
    return value in ("", 0, False) or (isinstance(value, Mapping | list | tuple) and not value)


def _is_same(want: Any, have: Any, path: Path) -> bool:
    if isinstance(want, bool) or isinstance(have, bool):
        return want is have
    if want == have:
        return True
    is_amount = path[-1] in _AMOUNT_FIELDS or (len(path) > 1 and path[-2] in _AMOUNTS)
    if not is_amount or not isinstance(want, str | int | float):
        return False
    try:
        return amount(want, "") == amount(have, "")
    except InvalidRequest:
        return False

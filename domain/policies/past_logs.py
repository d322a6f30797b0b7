"""What a log store is asked about a component, and its answers as lines of the component's log.

A store keeps the logs of many: the namespace of the place bounds what is asked for. Pods are found
by the label of components where the store has one, else by the names that controllers give them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from domain import ids
from domain.deliveries.logs import LogStore
from domain.policies.log_lines import LogLine
from domain.rendering.tasks import LONGEST_TASK

LONGEST = 30
"""Days that may be asked for: stores refuse longer ranges."""
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of which Kubernetes makes names."""
_END = f"{_RANDOM}{{5}}"
"""With what the name of every pod ends."""
_CUT = 58
"""Characters of what made a pod that are kept before that."""
_HASHES, _MINUTES = range(5, 11), range(8, 10)
"""Lengths of what is added for a ReplicaSet, and for a Job of a timetable."""
_RUN, _KEY = "[0-9a-f]", 12
_UNFIT = re.compile(r"[^A-Za-z0-9._/-]")
_PIECE = 64 * 1024
_NANOSECONDS = 1_000_000_000


def past_query(
    store: LogStore, namespace: str, component: str, living: Collection[str] = ()
) -> str:
    """Returns the query for what pods of a component wrote, in LogQL.

    Args:
        store: Which labels it knows.
        namespace: Where the component runs; nothing of others is asked for.
        component: Its name.
        living: Pods that are there and are read themselves.
    """
    parts = [f"{store.namespace_label}={json.dumps(namespace)}"]
    if store.component_label:
        parts.append(f"{store.component_label}={json.dumps(component)}")
    else:
        parts.append(f"{store.pod_label}=~{json.dumps('|'.join(_pods(component)))}")
    if living:
        others = "|".join(re.escape(one) for one in sorted(living))
        parts.append(f"{store.pod_label}!~{json.dumps(others)}")
    return "{" + ", ".join(parts) + "}"


def _pods(component: str) -> list[str]:
    """Returns the names of pods of a Deployment, of a timetable and of runs by hand."""
    made = set(_named(f"{component}-", _RANDOM, _HASHES))
    if len(component) <= LONGEST_TASK:
        made |= {*_named(f"{component}-", "[0-9]", _MINUTES), *_runs(component)}
    return sorted(made)


def _runs(component: str) -> list[str]:
    """Names of runs by hand are cut by Pavane as well (``ids.fitted``)."""
    begin = f"{component}-run-"
    kept, _, key = ids.fitted(begin + "0" * _KEY).rpartition("-")
    return _named(f"{kept}-", _RUN, range(len(key), len(key) + 1))


def _named(begin: str, letters: str, lengths: range) -> list[str]:
    """Returns how pods are called whose maker is called so, and has so many letters behind it."""
    whole = [one for one in lengths if len(begin) + one < _CUT]
    names = {
        f"{re.escape(begin[:_CUT])}{letters}{{{min(one, max(_CUT - len(begin), 0))}}}{_END}"
        for one in lengths
        if one not in whole
    }
    if whole:
        names.add(f"{re.escape(begin)}{letters}{{{whole[0]},{whole[-1]}}}-{_END}")
    return sorted(names)


def past_lines(
    store: LogStore, labels: Mapping[str, str], nanoseconds: int, text: str
) -> Iterator[LogLine]:
    """Yields an entry as lines: one that has several, or is long, in pieces."""
    pod = _UNFIT.sub("_", labels.get(store.pod_label, "")) or "-"
    container = _UNFIT.sub("_", labels.get(store.container_label, "")) or "main"
    label = pod if container == "main" else f"{pod}/{container}"
    source, time = f"past/{pod}/{container}", rfc3339(nanoseconds)
    for line in text.rstrip("\n").split("\n"):
        content = line.encode()
        for start in range(0, max(len(content), 1), _PIECE):
            yield LogLine(time, source, label, content[start : start + _PIECE])


def rfc3339(nanoseconds: int) -> str:
    """Returns a time since 1970 as planes write it, to the nanosecond."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def nanoseconds_of(time: str) -> int:
    """Returns a time (RFC 3339, in whole seconds) in nanoseconds since 1970."""
    return int(datetime.fromisoformat(time).timestamp()) * _NANOSECONDS

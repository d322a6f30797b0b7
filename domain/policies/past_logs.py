"""What a log store is asked about a component, and its answers as lines of the component's log.

A store keeps the logs of many: the namespace of the place bounds what is asked for. Pods are found
by the names that controllers give them: stores keep no label of components by themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from domain.deliveries.logs import LogStore
from domain.policies.log_lines import LogLine

LONGEST = 30
"""Days that may be asked for: stores refuse longer ranges."""
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of which Kubernetes makes names."""
_PODS = f"({_RANDOM}{{5,10}}|[0-9]+|run-[0-9a-f]{{12}})-{_RANDOM}{{5}}"
"""What follows the component in the name of a pod of a Deployment, a timetable, a run."""
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
    wanted = f"{re.escape(component)}-{_PODS}"
    parts = [
        f"{store.namespace_label}={json.dumps(namespace)}",
        f"{store.pod_label}=~{json.dumps(wanted)}",
    ]
    if living:
        others = "|".join(re.escape(one) for one in sorted(living))
        parts.append(f"{store.pod_label}!~{json.dumps(others)}")
    return "{" + ", ".join(parts) + "}"


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

"""What a look at the logs of a component is asked, passes on and answers.

No line travels here: lines lie in the object store while they are read
(docs/decisions/0042).
"""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.observing import AskedAs
from domain.deliveries.wire import Wire

NO_PODS = "NoPods"
"""Reason among the facts of an error: it is deployed there, and no pod of it runs."""


class LogRequest(Wire):
    """Copies what the pods of a component wrote to where the asker reads it."""

    organization: str
    project: str
    component: str
    environment: str
    look: str
    """Names the look: where its copy lies is made of it."""
    follow: bool = False
    """Go on while more is written, for a bounded time."""
    tail: int = Field(200, ge=1, le=10_000)
    """Last lines of each container of which nothing is known yet."""
    previous: bool = False
    """Of the instances before the last restart."""
    since: str = ""
    """All that was written from then on (RFC 3339), also by pods that are gone. Empty = the last
    lines of those that are there."""
    seen: dict[str, str] = Field(default_factory=dict)
    """Of each container (uid of its pod, name) the time of the last line that is known."""


class LogStore(Wire):
    """A Loki that keeps what pods wrote."""

    name: str
    """ObservabilityPlane that names it."""
    url: str
    namespace_label: str = "namespace"
    pod_label: str = "pod"
    container_label: str = "container"
    component_label: str = ""
    """Empty = it has none: pods are found by their names."""
    asked_as: AskedAs | None = None
    """None = as nobody in particular."""


class PreparedLog(Wire):
    """Where the pods are."""

    request: LogRequest
    plane: str
    task_queue: str
    namespace: str
    store: LogStore | None = None
    """Where it is asked for what pods that are gone wrote. None = nowhere."""


class CopiedLog(Wire):
    """How a copy ended."""

    containers: int = 0
    full: bool = False
    """There was more than one look copies."""


class CopyOfLog(Wire):
    """A copy that nobody reads any more."""

    organization: str
    look: str

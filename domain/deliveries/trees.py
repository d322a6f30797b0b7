"""What a look at the objects of a component is asked, passes on and answers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from domain.deliveries.deployments import Bundle, HealthCheck
from domain.deliveries.wire import Wire


class NodeHealth(StrEnum):
    """How one object is."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    MISSING = "Missing"
    """The release has it and the plane has not."""


class TreeRequest(Wire):
    """Looks at what a component became in an environment."""

    organization: str
    component: str
    environment: str
    known: str = ""
    """Hash of the tree that the asker has: the answer comes when it is another one, or after
    ``patience_seconds``. Empty = at once."""
    patience_seconds: int = 50
    runs: int = 3
    """How many runs of a timetable are shown, besides those that go on."""


class PreparedLook(Wire):
    """Where there is something to look at."""

    request: TreeRequest
    plane: str = ""
    task_queue: str = ""
    """Empty = nothing is deployed there."""
    state: str = ""
    """What the binding wants: Active, Suspend or Undeploy."""
    bundle: Bundle | None = None
    checks: tuple[HealthCheck, ...] = ()


class TreeNode(Wire):
    """One object on the plane."""

    id: str
    """Kind and name."""
    parent: str = ""
    """Id of the object that owns it; empty = it is one of the release."""
    api_version: str
    kind: str
    name: str
    health: NodeHealth
    reason: str = ""
    message: str = ""
    details: dict[str, str] = Field(default_factory=dict)
    """Of a timetable when it runs, of a run when and why it did: ``domain.policies.runs``."""


class ComponentTree(Wire):
    """All objects of a component in an environment: of its release, and what came of them."""

    organization: str
    component: str
    environment: str
    namespace: str = ""
    plane: str = ""
    state: str = ""
    release: str = ""
    """Empty = nothing is deployed there."""
    health: NodeHealth = NodeHealth.HEALTHY
    """The worst of the objects of the release."""
    reason: str = ""
    message: str = ""
    nodes: tuple[TreeNode, ...] = ()
    """Each after its parent."""
    left_out: int = 0
    """How many objects more there are: healthy ones are left out first."""
    hash: str = ""
    """Of all of the above: equal trees have equal hashes."""

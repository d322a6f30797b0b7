"""What activities of a promotion are asked, and what they answer."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from domain.deliveries.deployments import Deployment
from domain.deliveries.wire import Wire


class PointBinding(Wire):
    """Asks to point a binding back to an artifact."""

    organization: str
    component: str
    environment: str
    binding: str
    binding_kind: str
    artifact: str
    unless_changed: str = ""
    """What it must name for that; when it names something else, somebody else decided."""


class WebhookCall(Wire):
    """Asks another system whether a promotion may go on."""

    gate: str
    id: str
    """The same for each try of the same question."""
    organization: str
    url: str
    timeout_seconds: int = 30
    body: str
    """JSON."""


class GateTestRun(Wire):
    """Asks for a run of tests in an environment."""

    gate: str
    name: str
    """Of the Job or Argo Workflow; equal runs have equal names."""
    organization: str
    project: str
    environment: str
    namespace: str
    image: str
    command: tuple[str, ...]
    timeout_seconds: int = 300
    component: str = ""
    """What is tested: the tests may call its endpoints. Empty = they may call nobody."""
    template: str = ""
    """Argo WorkflowTemplate that is run instead of the command; empty = the command."""
    cluster_scope: bool = False
    """The template is a ClusterWorkflowTemplate."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Arguments of the template."""


class WatchRelease(Wire):
    """Asks to look at a release for a while."""

    organization: str
    release: str
    seconds: int


class OrderState(StrEnum):
    """Where a deployment stands that was asked for."""

    OPEN = "Open"
    """It waits or runs."""
    OVER = "Over"
    LOST = "Lost"
    """Nobody knows of it: withdrawn, superseded, or its queue is gone."""


class FoundDeployment(Wire):
    """What became of a deployment that was asked for."""

    state: OrderState
    deployment: Deployment | None = None

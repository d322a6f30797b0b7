"""One entry of the deployment history: who brought what where, from what, and how it ended."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.deliveries.wire import Wire
from domain.phases import Phase


class LeadTime(Wire):
    """Where the time went, in seconds. None = that part did not happen."""

    build: float | None = None
    queue: float | None = None
    """From the request until its turn."""
    approval: float | None = None
    freeze: float | None = None
    soak: float | None = None
    apply: float | None = None
    rollout: float | None = None

    @property
    def total(self) -> float:
        """The sum of the parts."""
        parts = [part for part in self.model_dump().values() if part is not None]
        return round(float(sum(parts)), 3)


class DeploymentEntry(Wire):
    """One finished deployment of one component to one environment."""

    key: str = Field(min_length=1, max_length=1000)
    """Written once by this key, as a fact is."""
    organization: str = Field(min_length=1, max_length=63)
    project: str = ""
    component: str
    environment: str
    deployment: str = ""
    """Name of the Deployment resource; empty when nothing could be rendered."""
    action: str = "deploy"
    """``deploy``, ``suspend``, ``undeploy``, ``put-back``, ``rollback``."""
    actor: str
    trigger: str = ""
    """How it was asked for: api, webhook, resource, automatic."""
    reference: str = ""
    """The request, delivery or resource that asked."""
    reason: str = ""
    """Why, in the words of who asked."""
    release: str = ""
    artifact: str = ""
    version: str = ""
    image: str = ""
    from_release: str = ""
    """What ran before; empty = nothing did."""
    from_artifact: str = ""
    from_version: str = ""
    from_image: str = ""
    changed: bool = True
    """False = the same content ran already and nothing was rolled out."""
    phase: Phase
    failure: str = ""
    """CamelCase word of why it did not succeed."""
    message: str = ""
    restored: bool = False
    """What ran before was restored and is ready."""
    asked: datetime | None = None
    started: datetime
    finished: datetime
    lead_time: LeadTime = LeadTime()
    workflow_id: str = ""
    run_id: str = ""

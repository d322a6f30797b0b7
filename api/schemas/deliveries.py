"""What the API is sent and what it answers: camelCase outside, snake_case inside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from domain.deliveries import Step, Waiting
from domain.deliveries.parking import Choice, Parked
from domain.phases import Phase


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Request(_Schema):
    """Base of what callers send: an unknown field is an error, not a silent no."""

    model_config = ConfigDict(extra="forbid")


class View(_Schema):
    """Base of what callers get."""


class BuildOrder(Request):
    """Asks for a build."""

    organization: str = Field(examples=["acme"])
    component: str = Field(examples=["web"])
    revision: str = Field(
        "",
        max_length=200,
        description="Branch, tag or commit. Empty = the component's branch.",
        examples=["main"],
    )


class TimedOrder(Request):
    """Asks for something that may wait for its time."""

    not_before: AwareDatetime | None = Field(
        None, description="When it is let through at the earliest. Empty = at once."
    )
    expires: AwareDatetime | None = Field(
        None, description="When it is given up, if it was not let through. Empty = never."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.not_before and self.expires and self.expires <= self.not_before:
            raise ValueError("expires must be after notBefore")
        return self


class DeployOrder(TimedOrder):
    """Asks for a deployment."""

    organization: str = Field(examples=["acme"])
    component: str = Field(examples=["web"])
    environment: str = Field(examples=["development"])
    artifact: str = Field(
        "", max_length=63, description="DeployableArtifact. Empty = what the binding names."
    )
    force_conflicts: bool = Field(
        False, description="Take over fields that another field manager owns."
    )


class CancelOrder(Request):
    """Asks an operation to stop and to undo what it did."""

    reason: str = Field("", max_length=500, description="Why; it is written down.")


class ResolveOrder(Request):
    """Decides what becomes of a parked operation."""

    choice: Choice
    reason: str = Field(min_length=3, max_length=1000, description="Why; it is written down.")
    artifact: str = Field("", max_length=63, description="With `fix`: what to deploy instead.")
    force_conflicts: bool = Field(
        False, description="With `fix`: take over fields that another field manager owns."
    )


class Links(View):
    """Where to go on from an operation."""

    self: str
    events: str
    cancel: str
    logs: str = ""


class Accepted(View):
    """An order that was accepted; the operation does the work."""

    id: str = Field(description="Id of the operation, run included.")
    workflow_id: str
    run_id: str
    existing: bool = Field(False, description="The same was ordered before: this is that one.")
    position: int | None = Field(None, description="Place in the queue: 0 = runs now.")
    request_id: str = Field("", description="What the order is called in the queue.")
    links: Links


class Failure(View):
    """Why an operation did not succeed."""

    type: str = Field(description="Name of the error, such as RolloutFailed.")
    message: str
    log: str = Field("", description="Last lines of the log, when there is one.")
    facts: dict[str, str] = Field(default_factory=dict)


class OperationSummary(View):
    """An operation in a list."""

    id: str
    kind: str
    organization: str
    component: str
    environment: str = ""
    commit: str = ""
    phase: Phase
    actor: str = ""
    started: datetime | None = None
    finished: datetime | None = None


class DeploymentView(View):
    """How one deployment of a queue ended."""

    request_id: str
    phase: Phase
    artifact: str = ""
    image: str = ""
    release: str = ""
    url: str = ""
    changed: bool = True
    reason: str = ""
    message: str = ""
    undone: tuple[str, ...] = ()


class RetryView(View):
    """Something that failed for a technical reason, or lies waiting, and is tried again."""

    what: str = Field(description="What is being done, in the words of the procedure.")
    attempt: int = Field(description="The try that runs or comes next, from 1.")
    type: str = Field(description="Name of the last error; NoWorker = nobody has taken it yet.")
    message: str
    next_try: datetime | None = Field(None, description="Empty = it runs, or may at any moment.")
    until: datetime | None = Field(None, description="When it is given up.")


class OperationView(OperationSummary):
    """An operation in all detail."""

    summary: str = ""
    steps: tuple[Step, ...] = ()
    waiting_for: Waiting | None = None
    parked: Parked | None = Field(
        None, description="Set while it waits for a person after a technical fault."
    )
    retrying: tuple[RetryView, ...] = Field(
        (), description="What failed for a technical reason and is tried again by itself."
    )
    queue: tuple[str, ...] = Field((), description="Requests behind this one, in order.")
    deployments: tuple[DeploymentView, ...] = Field(
        (), description="Deployments this run has finished, oldest first."
    )
    result: dict[str, Any] | None = Field(None, description="What a successful one came to.")
    failure: Failure | None = None
    note: str = Field("", description="Why something is not shown, such as no worker answering.")
    links: Links

    @property
    def is_open(self) -> bool:
        """Tells whether the operation may still change."""
        return self.finished is None


class OperationList(View):
    """One page of operations, newest first."""

    items: tuple[OperationSummary, ...]
    next_page: str = Field("", description="Pass as `page` for the next one. Empty = the last.")


class ColumnView(View):
    """One column of a table of resources."""

    name: str
    path: str = Field(description="JSONPath in the item.")
    type: str = "string"
    wide: bool = False


class ResourceList(View):
    """Resources of a kind, with the columns in which people like to see them."""

    kind: str
    columns: tuple[ColumnView, ...]
    items: tuple[dict[str, Any], ...]


class AppliedResource(View):
    """What became of one manifest."""

    kind: str
    name: str
    namespace: str = ""
    outcome: str = Field(description="created, configured or unchanged")


class ApplyResult(View):
    """What became of the manifests, in their order."""

    items: tuple[AppliedResource, ...]
    dry_run: bool = False


class DeletedPart(View):
    """Something that goes with a deleted resource."""

    kind: str
    name: str
    what: str = Field("", description="What becomes of it besides. Empty = nothing else.")


class DeletionPlanView(View):
    """What a deletion would do now."""

    removes: tuple[DeletedPart, ...] = Field(description="In order; the resource comes last.")
    waits_for: tuple[str, ...] = Field((), description="Who uses what is to go. Empty = nobody.")
    keeps: tuple[str, ...] = Field((), description="What stays although it was made for it.")


class DeletionView(View):
    """A deletion that takes its time."""

    operation: str = Field(description="The teardown; empty = there was nothing to take down.")


class WebhookResult(View):
    """What came of a delivery."""

    outcome: str
    builds: tuple[Accepted, ...] = ()


class LoginView(View):
    """Where tokens come from."""

    issuer: str
    discovery_url: str
    audience: str


class WhoAmI(View):
    """Who the token says you are."""

    subject: str
    name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()
    administrator: bool = False

"""What the API is sent and answers about promotions, rollbacks and what is remembered of places."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.deliveries import Request, TimedOrder, View
from domain.phases import Phase

MISSING = "What could not be looked at, and why; there may be more than is told."
_PLACE = {"organization": "acme", "component": "web", "environment": "production"}


class _Told(View):
    model_config = ConfigDict(from_attributes=True)


class PlaceOrder(Request):
    """Names a component in an environment."""

    organization: str = Field(examples=[_PLACE["organization"]])
    component: str = Field(examples=[_PLACE["component"]])
    environment: str = Field(examples=[_PLACE["environment"]])


class PromotionOrder(PlaceOrder, TimedOrder):
    """Asks for a promotion."""

    source: str = Field(
        "", max_length=63, description="Where it comes from. Empty = what the pipeline says."
    )
    artifact: str = Field(
        "", max_length=63, description="DeployableArtifact. Empty = what runs in the source."
    )
    hotfix: bool = Field(False, description="Leave out what the pipeline lets a hotfix leave out.")
    reason: str = Field("", max_length=500, description="Why; a hotfix needs one.")


class RollbackOrder(PlaceOrder):
    """Asks for a rollback."""

    to: str = Field("", max_length=63, description="Release. Empty = the last verified one.")
    bad: str = Field(
        "",
        max_length=63,
        description="Release that is to go; when another one runs by then, nothing is done, so "
        "that asking twice goes back once. Empty = whatever runs.",
    )
    reason: str = Field("", max_length=500, description="Why; it is written down.")


class HoldOrder(Request):
    """Keeps automation away from a place."""

    reason: str = Field(min_length=1, max_length=500, description="Why; it is shown.")


class PinOrder(Request):
    """Lets nothing but one artifact come to a place."""

    artifact: str = Field("", max_length=63, description="Artifact. Empty = what runs there.")
    reason: str = Field(min_length=1, max_length=500, description="Why; it is shown.")
    until: AwareDatetime | None = Field(
        None, description="When it ends by itself. None = only a person ends it."
    )


class LiftOrder(Request):
    """Lifts what keeps things away from a place."""

    hold: bool = Field(False, description="Lift the hold.")
    pin: bool = Field(False, description="Lift the pin.")
    veto: str = Field("", max_length=63, description="Artifact whose veto is lifted.")
    reason: str = Field("", max_length=500, description="Why; it is written down.")


class ConfirmOrder(Request):
    """Says what a person saw who looked at what a manual gate asks for."""

    gate: str = Field(max_length=63)
    passes: bool = True
    note: str = Field("", max_length=1000)


class GateView(_Told):
    """What one gate says, and why."""

    name: str
    check: str
    state: str = Field(description="Open, Closed, Waiting, Pending, Unknown or Skipped.")
    reason: str
    since: datetime | None = None
    until: datetime | None = None
    who: str = Field("", description="Who or what can open it.")
    evidence: dict[str, str] = Field(default_factory=dict)


class ChangeView(_Told):
    """One object that a promotion changes."""

    name: str
    change: str
    fields: tuple[str, ...] = ()


class PlanView(View):
    """What a promotion would do and wait for; nothing of it was done."""

    organization: str
    component: str
    environment: str
    source: str
    artifact: str
    release: str
    hash: str = Field(description="What an approval would be bound to.")
    nothing_to_do: bool
    problem: str = Field("", description="Why it cannot be rendered. Empty = it can.")
    refused: str = Field(
        "", description="Why its deployment would be refused as things are: quotas, images."
    )
    gates: tuple[GateView, ...]
    changes: tuple[ChangeView, ...]
    configuration: tuple[str, ...] = Field(
        (), description="Variables and files that are new (+), gone (-) or other (~), by name."
    )
    network: tuple[str, ...] = Field(
        (), description="Ways that open (+) or close (-), by the policy of the component."
    )
    pairs: tuple[str, ...] = Field(
        (),
        description="Components that may talk then and may not now (+), or the other way round "
        "(-), judged by the policies of both ends.",
    )
    approvals: tuple[str, ...] = Field(description="What is needed of people.")
    approval: str = Field(
        "",
        description="How the approval stands that is open: who agreed, what is missing. Empty = "
        "none is open.",
    )
    approvers: tuple[str, ...] = Field(
        (),
        description="Groups and people who may approve there, by the access rules as they are. "
        "Empty = nobody needs to agree.",
    )
    waits: tuple[str, ...] = Field(description="What it would wait for.")
    usual_seconds: dict[str, float] = Field(
        {}, description="How long approval, freeze, soak, queue, apply and rollout usually took "
        "in that environment: medians of its last 500 deployments.",
    )  # fmt: skip
    not_looked_at: tuple[str, ...] = Field((), description=MISSING)


class PromotionView(_Told):
    """A promotion as it is now, or how the last one ended."""

    organization: str
    component: str
    environment: str
    source: str = ""
    phase: Phase
    artifact: str = ""
    release: str = ""
    reason: str = ""
    message: str = ""
    gates: tuple[GateView, ...] = ()
    hash: str = ""
    approved_by: tuple[str, ...] = ()
    hotfix: bool = False
    undone: tuple[str, ...] = ()
    rolled_back_to: str = ""


class HoldView(_Told):
    """Nothing comes to the place by itself."""

    reason: str
    by: str = ""
    since: datetime
    until: datetime | None = None


class PinView(_Told):
    """Only this artifact comes to the place."""

    artifact: str
    reason: str
    by: str = ""
    since: datetime
    until: datetime | None = None


class VetoView(_Told):
    """An artifact that must not come to the place."""

    artifact: str
    reason: str
    by: str = ""
    since: datetime


class PassView(_Told):
    """Objects that passed every gate of the place."""

    release: str
    artifact: str
    by: str = ""
    at: datetime
    verified: datetime | None = None
    hotfix: bool = False


class StandingView(_Told):
    """What is remembered of a place."""

    organization: str
    component: str
    environment: str
    hold: HoldView | None = None
    pin: PinView | None = None
    vetoes: tuple[VetoView, ...] = ()
    passes: tuple[PassView, ...] = ()


class StandingList(View):
    """Places where a person may lift something."""

    items: tuple[StandingView, ...]


class StageView(View):
    """One environment of a pipeline, with what is there."""

    environment: str
    version: str = ""
    artifact: str = ""
    ready: bool = False
    since: datetime | None = None
    held: str = Field("", description="Why nothing comes there by itself. Empty = it does.")


class StepView(View):
    """The way from one environment to another, with its rules."""

    source: str
    target: str
    mode: str
    gates: tuple[str, ...]
    approval: str = ""
    soak_seconds: int = 0
    watch_seconds: int = 0
    on_failure: str = ""
    hotfix_skips: tuple[str, ...] = ()


class PipelineView(View):
    """A pipeline as a component goes through it."""

    name: str
    component: str
    problems: tuple[str, ...] = ()
    stages: tuple[StageView, ...]
    steps: tuple[StepView, ...]

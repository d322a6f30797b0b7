"""What the promotion procedure is asked, what it judges by, and what it answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain import ids
from domain.deliveries.approvals import ApprovalRule, BoundFacts, bound_hash
from domain.deliveries.freezes import FreezeVerdict
from domain.deliveries.standings import Standing
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase
from domain.resources.gates import GateCheck, WhenUnknown
from domain.resources.pipeline import OnFailure


class PromotionRequest(Wire):
    """Brings the artifact that runs in one environment to the next one."""

    organization: str
    component: str
    environment: str
    """Where it is to run."""
    request_id: str
    """Equal requests have equal ids."""
    source: str = ""
    """Environment it comes from; empty = the only one the pipeline names."""
    artifact: str = ""
    """DeployableArtifact; empty = what runs in the source."""
    hotfix: bool = False
    """Leave out the gates that the pipeline lets a hotfix leave out."""
    reason: str = ""
    trigger: Trigger = Trigger()
    not_before: datetime | None = None
    """It is let through then at the earliest; all but the deployment may be done before."""
    expires: datetime | None = None
    """It is given up then, if it was not let through."""


class GateState(StrEnum):
    """What a gate says."""

    OPEN = "Open"
    CLOSED = "Closed"
    WAITING = "Waiting"
    """It opens by itself, or when somebody does something."""
    PENDING = "Pending"
    """It is asked when everything that costs nothing is open."""
    UNKNOWN = "Unknown"
    """Nobody knows, and the pipeline does not let that pass."""
    SKIPPED = "Skipped"
    """A hotfix leaves it out."""


class GateVerdict(Wire):
    """What one gate says, and why."""

    name: str
    check: str
    state: GateState
    reason: str
    since: datetime | None = None
    until: datetime | None = None
    """When it opens by itself; None when it does not."""
    who: str = ""
    """Who or what can open it."""
    evidence: dict[str, str] = Field(default_factory=dict)
    """The facts it was judged by."""

    @property
    def is_open(self) -> bool:
        """Tells whether the way is free here."""
        return self.state in {GateState.OPEN, GateState.SKIPPED}


class GateOutcome(Wire):
    """What came of a gate that is not judged by facts alone: tests, webhook, a person."""

    name: str
    passed: bool | None
    """None = it could not be found out."""
    reason: str
    report: str = ""
    """Last lines of a test run, or what the person wrote."""
    by: str = ""
    at: datetime | None = None
    hash: str = ""
    """Of what was looked at; of something else it says nothing."""


class GateRule(Wire):
    """One gate of a step, as the pipeline wants it."""

    name: str
    check: GateCheck
    when_unknown: WhenUnknown = WhenUnknown.CLOSE
    message: str = ""
    expression: str = ""
    url: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    timeout_seconds: int = 300
    template: str = ""
    cluster_scope: bool = False
    parameters: dict[str, str] = Field(default_factory=dict)


class StepRules(Wire):
    """What the pipeline asks of one step."""

    auto: bool = False
    soak_seconds: int = 0
    gates: tuple[GateRule, ...] = ()
    approval: ApprovalRule | None = None
    watch_seconds: int = 0
    on_failure: OnFailure = OnFailure.ROLLBACK
    max_rollbacks_per_day: int = 3
    skips: tuple[str, ...] = ()
    """Gates a hotfix leaves out."""


class PlaceFacts(Wire):
    """What runs in one environment."""

    environment: str
    binding: str = ""
    """Name of the binding; empty = there is none."""
    binding_kind: str = ""
    artifact: str = ""
    """What runs; empty = nothing."""
    version: str = ""
    release: str = ""
    wanted: str = ""
    """What the binding wants."""
    ready: bool = False
    reason: str = ""
    message: str = ""
    since: datetime | None = None
    """Since when it is ready, or not."""


class ArtifactFacts(Wire):
    """What is to be promoted."""

    name: str
    image: str = ""
    commit: str = ""
    branch: str = ""
    version: str = ""
    build: str = ""
    has_test_report: bool = False
    scan: str = "unknown"
    """``passed``, ``refused`` or ``unknown``."""
    scan_reason: str = ""
    authors: tuple[str, ...] = ()
    """Who wrote what it brings to the target, as the commits say."""


class ChangedObject(Wire):
    """One object that the promotion changes."""

    name: str
    """``Kind/name``."""
    change: str
    """``added``, ``changed`` or ``removed``."""
    fields: tuple[str, ...] = ()
    """Paths that differ; never values."""


class PromotionFacts(Wire):
    """All that the gates of one promotion are judged by."""

    organization: str
    project: str
    component: str
    environment: str
    pipeline: str = ""
    first: str = ""
    """First environment of the pipeline."""
    sources: tuple[str, ...] = ()
    """Environments the pipeline lets a component come from."""
    source: PlaceFacts
    source_passed: bool = True
    """The artifact came to the source through its gates; the first environment has none."""
    source_queue: str = ""
    """Task queue of the plane of the source."""
    target: PlaceFacts
    target_queue: str = ""
    is_production: bool = False
    artifact: ArtifactFacts | None = None
    """None = there is nothing to promote."""
    rules: StepRules = StepRules()
    standing: Standing
    release: str = ""
    """Content name of the objects it would become in the target; empty = it cannot be rendered."""
    hash: str = ""
    problem: str = ""
    """Why it cannot be rendered."""
    refused: str = ""
    """Why its deployment would be refused as things are: quotas, images. Not decided about."""
    changes: tuple[ChangedObject, ...] = ()
    """What is different from what runs in the target."""
    configuration: tuple[str, ...] = ()
    """Variables and files that are new (``+``), gone (``-``) or other (``~``); never values."""
    network: tuple[str, ...] = ()
    """What may talk then and may not now (``+``), and the other way round (``-``)."""
    pairs: tuple[str, ...] = ()
    """The same as pairs with what runs there now: both ends have a say. Not decided about."""
    judged: tuple[GateOutcome, ...] = ()
    """Expressions, and what else was judged where the facts were read."""
    freeze: FreezeVerdict | None = None
    """What keeps the target closed now, or who let it in; None = nothing."""
    at: datetime
    """When they were read."""

    @property
    def bound(self) -> str:
        """The hash of all that is decided about: objects, and the rules they pass by."""
        return ids.content_hash([self.hash, self.rules.model_dump(mode="json")])

    @property
    def asked(self) -> BoundFacts:
        """What people are asked to approve, where they are."""
        return BoundFacts(
            artifact=self.artifact.image if self.artifact else "",
            configuration=self.hash,
            policies=ids.content_hash(self.rules.model_dump(mode="json")),
            plan=self.bound,
        )

    @property
    def agreed(self) -> str:
        """The hash that an approval of it is bound to; where nobody must agree, all the same."""
        rule = self.rules.approval
        return self.bound if rule is None else bound_hash(self.asked, rule)


class PromotionPlan(Wire):
    """What a promotion would do and wait for; nothing of it is done."""

    facts: PromotionFacts
    gates: tuple[GateVerdict, ...]
    hash: str
    """What an approval would be bound to."""
    nothing_to_do: bool = False
    """The target runs exactly this."""
    approvals: tuple[str, ...] = ()
    """What is needed of people, in words."""
    waits: tuple[str, ...] = ()
    """What is waited for, in words."""


class Promotion(Wire):
    """Result of one promotion."""

    organization: str
    component: str
    environment: str
    source: str = ""
    request_id: str
    phase: Phase
    artifact: str = ""
    image: str = ""
    release: str = ""
    reason: str = ""
    message: str = ""
    gates: tuple[GateVerdict, ...] = ()
    hash: str = ""
    approved_by: tuple[str, ...] = ()
    hotfix: bool = False
    undone: tuple[str, ...] = ()
    rolled_back_to: str = ""
    changed: bool = True
    """False = the target ran exactly this already."""


class Confirmation(Wire):
    """What a person saw who looked at what a manual gate asks for."""

    gate: str
    passes: bool = True
    note: str = Field("", max_length=1000)
    by: str = ""

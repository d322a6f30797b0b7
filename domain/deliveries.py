"""What the build and the deployment procedures are asked, pass on and answer.

These models stand in Temporal histories: fields are only ever added, with defaults, and unknown
ones are ignored so that an older worker survives a newer caller.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.phases import Phase, StepPhase


class Wire(BaseModel):
    """Base of everything that travels through Temporal."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TriggerKind(StrEnum):
    """Who or what asked."""

    WEBHOOK = "webhook"
    API = "api"
    RESOURCE = "resource"
    AUTOMATIC = "automatic"


class Trigger(Wire):
    """Why a procedure runs."""

    kind: TriggerKind = TriggerKind.API
    actor: str = ""
    """The person or system; empty when unknown."""
    reference: str = ""
    """The request, delivery or resource that asked."""

    @property
    def is_automatic(self) -> bool:
        """Tells whether no person waits for it, so that a newer one may take its place."""
        return self.kind is not TriggerKind.API


class Step(Wire):
    """One step as a person sees it."""

    name: str
    phase: StepPhase = StepPhase.WAITING
    message: str = ""
    started: datetime | None = None
    finished: datetime | None = None


class Waiting(Wire):
    """What a procedure waits for, for a person on call."""

    what: str
    since: datetime
    until: datetime | None = None
    """When the wait ends by itself; None when it does not."""
    who: str = ""
    """Who can end it; empty when only the awaited thing can."""


class OperationStatus(Wire):
    """Answer of the query ``status`` of every procedure."""

    phase: Phase = Phase.PENDING
    summary: str = ""
    steps: tuple[Step, ...] = ()
    waiting_for: Waiting | None = None
    queue: tuple[str, ...] = ()
    """Requests that wait behind this one, in order."""
    deployments: tuple[Deployment, ...] = ()
    """What a queue of deployments has finished, oldest first; empty for other procedures."""


# --- build -----------------------------------------------------------------------------------


class BuildRequest(Wire):
    """Builds one revision of one component."""

    organization: str
    component: str
    revision: str = ""
    """Branch, tag or commit; empty = the component's branch."""
    commit: str = ""
    """Complete commit id; empty until the revision is resolved."""
    branch: str = ""
    """The branch the commit was pushed to; empty when unknown."""
    build: str = ""
    """Build resource that asked; empty = the platform writes one."""
    trigger: Trigger = Trigger()


class ResolvedCommit(Wire):
    """What a revision meant at the moment it was resolved."""

    commit: str
    branch: str = ""


class BuildPlan(Wire):
    """Everything the build plane needs to know about one build."""

    organization: str
    project: str
    component: str
    name: str
    """Name of the Build resource and of the Argo Workflow."""
    repository: str
    commit: str
    branch: str = ""
    context: str = "."
    """Folder in the repository that is built."""
    dockerfile: str = "Dockerfile"
    test_command: tuple[str, ...] = ()
    """Run in the built image before it is pushed; empty = no tests."""
    template: str = "docker-build"
    image: str
    """Repository part of the image name, without tag."""
    task_queue: str
    """Task queue of the build plane's worker."""
    timeout_seconds: int = 3600
    older: tuple[str, ...] = ()
    """Ids of builds of the same branch that this one supersedes."""
    service_account: str = "pavane-build"
    log: str = ""
    """Key of the log in the object store; it is there while the build runs."""
    attempt: int = 1
    """Which try this is; a technical fault of the plane is tried again."""


class BuildHandle(Wire):
    """Where a submitted build runs."""

    namespace: str
    name: str
    uid: str = ""
    adopted: bool = False
    """True when an earlier try had submitted it already."""


class BuildFollow(Wire):
    """Asks the build plane to wait for the end of a build."""

    plan: BuildPlan
    handle: BuildHandle


class StageDuration(Wire):
    """How long one stage of a build took."""

    name: str
    seconds: float


class BuildOutcome(Wire):
    """How a build ended on the plane."""

    digest: str = ""
    """``sha256:...`` of the pushed image; empty when none was pushed."""
    image: str = ""
    """Image name with digest."""
    base_images: tuple[str, ...] = ()
    test_report: str = ""
    """Last lines of the test step; empty when there was none."""
    stages: tuple[StageDuration, ...] = ()
    log: str = ""
    """Key of the archived log in the object store."""
    cache_hit: bool = False
    template_digest: str = ""


class BuildRecord(Wire):
    """Asks to write down how a build ended."""

    plan: BuildPlan
    phase: Phase
    outcome: BuildOutcome = BuildOutcome()
    message: str = ""
    log_tail: str = ""
    trigger: Trigger = Trigger()
    workflow_id: str = ""
    run_id: str = ""
    started: datetime | None = None
    finished: datetime | None = None


class Build(Wire):
    """Result of the build procedure."""

    name: str
    phase: Phase
    commit: str
    artifact: str = ""
    """Name of the DeployableArtifact."""
    image: str = ""
    binding: str = ""
    """Binding that was pointed to the artifact; empty without autoDeploy."""
    message: str = ""


class BuildStarted(Wire):
    """Result of a request whose revision had to be resolved: the build that answers it."""

    workflow_id: str
    run_id: str
    commit: str
    existing: bool = False
    """True when that commit was already being built or had been built."""


# --- deploy ----------------------------------------------------------------------------------


class DeployRequest(Wire):
    """Brings a component in an environment to what its binding wants."""

    organization: str
    component: str
    environment: str
    request_id: str
    """Equal requests have equal ids; the second one is not queued again."""
    binding: str = ""
    """Name of the binding; empty = the binding of that component and environment."""
    artifact: str = ""
    """DeployableArtifact to point the binding to first; empty = leave it."""
    force_conflicts: bool = False
    """Take fields over from another field manager."""
    trigger: Trigger = Trigger()


class Enqueued(Wire):
    """Answer to a queued request."""

    position: int
    """0 = runs now, 1 = next."""
    duplicate: bool = False


class ObjectRef(Wire):
    """Names one object on a plane."""

    api_version: str
    kind: str
    namespace: str = ""
    name: str


class Bundle(Wire):
    """The exact objects of a release, in the order in which they are applied."""

    release: str = ""
    """Name of the Release; empty = nothing was released before."""
    namespace: str = ""
    objects: tuple[dict[str, Any], ...] = ()
    stored: str = ""
    """Key in the object store when the objects are too large to travel (``objects`` is empty)."""


class PreparedRelease(Wire):
    """A release that is rendered and written down, not yet applied."""

    organization: str
    project: str
    component: str
    environment: str
    binding: str
    generation: int = 0
    """Generation of the binding that was rendered."""
    deployment: str
    """Name of the Deployment resource that records this."""
    artifact: str = ""
    version: str = ""
    """Short name of the artifact's version, for people."""
    image: str = ""
    task_queue: str
    """Task queue of the data plane's worker."""
    bundle: Bundle
    previous: Bundle = Bundle()
    """The release that ran before: what it had and this one has not is pruned, and it is restored
    when this one fails."""
    changed: bool = True
    """False when the content equals that of the release that runs: nothing is rolled out."""
    action: str = "deploy"
    """``deploy``, ``undeploy`` or ``suspend``."""
    url: str = ""
    """Where the component answers; empty when it has no public endpoint."""
    progress_deadline_seconds: int = 600


class ApplyRelease(Wire):
    """Asks the plane to make the objects so."""

    bundle: Bundle
    previous: Bundle = Bundle()
    """What it had and ``bundle`` has not is pruned."""
    force_conflicts: bool = False
    organization: str = ""
    """Owner of the namespaces; one that belongs to somebody else is never written to."""


class Applied(Wire):
    """What applying a release did."""

    applied: tuple[str, ...] = ()
    """``Kind/name`` of the objects that are as the release wants them."""
    pruned: tuple[str, ...] = ()


class FollowRollout(Wire):
    """Asks the plane to wait until the objects of a release are ready."""

    bundle: Bundle
    deadline_seconds: int = 600


class RolloutReady(Wire):
    """The objects of a release are ready."""

    replicas: int = 0
    message: str = ""


class DeployRecord(Wire):
    """Asks to write down how a deployment ended."""

    request: DeployRequest
    release: PreparedRelease | None = None
    """None when not even the rendering succeeded."""
    generation: int = 0
    """Generation of the binding that was refused, when nothing could be rendered."""
    phase: Phase
    reason: str = ""
    """CamelCase word for the condition, such as ``CrashLoopBackOff``."""
    message: str = ""
    log_tail: str = ""
    restored: bool = False
    """True when the previous release was restored and is ready."""
    undone: tuple[str, ...] = ()
    """What the compensation did, in words."""
    workflow_id: str = ""
    run_id: str = ""
    started: datetime | None = None
    finished: datetime | None = None


class Deployment(Wire):
    """Result of one deployment."""

    organization: str
    component: str
    environment: str
    request_id: str
    phase: Phase
    release: str = ""
    artifact: str = ""
    image: str = ""
    url: str = ""
    changed: bool = True
    reason: str = ""
    message: str = ""
    undone: tuple[str, ...] = Field(default=())


OperationStatus.model_rebuild()

"""What the deployment procedure is asked, passes on and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from domain.deliveries.configurations import ConfigurationPin
from domain.deliveries.freezes import FreezeVerdict
from domain.deliveries.probes import ProbeRun
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase
from domain.records.facts import AuditFact
from domain.records.history import LeadTime

_READY_AT_ONCE = frozenset(
    {
        "ConfigMap",
        "HorizontalPodAutoscaler",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)


def is_followed(kind: str) -> bool:
    """Tells whether the readiness of objects of a kind is waited for: all but what just is."""
    return kind not in _READY_AT_ONCE


class HealthCheck(Wire):
    """How it is told whether objects of a kind are well: CEL over ``object``."""

    api_version: str
    kind: str
    ready: str
    failed: str = ""
    """Empty = waiting may always mend it."""
    message: str = ""


class Taken(Wire):
    """What a release takes up of the quotas, as Kubernetes writes amounts."""

    cpu: str = ""
    memory: str = ""
    objects: int | None = None


class DeployRequest(Wire):
    """Brings a component in an environment to what its binding wants."""

    organization: str
    component: str
    environment: str
    request_id: str
    """Equal requests have equal ids; the second one is not queued again."""
    binding: str = ""
    """Name of the binding; empty = the binding of that component and environment."""
    binding_kind: str = ""
    """Kind of the binding; empty = whichever the component's type asks for."""
    artifact: str = ""
    """DeployableArtifact to point the binding to first; empty = leave it."""
    force_conflicts: bool = False
    """Take fields over from another field manager."""
    class_revision: str = ""
    """ClassRevision to render with from now on, unless the binding is held at another one.
    Empty = the one it was given, else the present one."""
    configuration: tuple[ConfigurationPin, ...] = ()
    """Revisions of configuration groups to render with from now on. Of a group that is not named:
    the one it was given, else its present content."""
    first: bool = False
    """Nothing runs there yet. False when unknown; only the order of work depends on it."""
    put_back: tuple[str, ...] = ()
    """``Kind/name`` of objects of the running release that somebody else changed: they are made
    as it wants them and nothing else is brought there. Empty = an ordinary deployment."""
    release: str = ""
    """Release that the drift was seen against; when another one runs, nothing is put back."""
    rollback: str = ""
    """Stored release to bring back as it is; goes before all that waits. Empty = render anew."""
    tell: str = ""
    """Workflow that is told how it ended; empty = nobody waits for that."""
    generation: int = 0
    """Generation of the binding that asks; a deployment that renders it, or a later one, answers
    this request as well. 0 = it asks for something of its own."""
    interfaces: str = ""
    """Hash of the Endpoints and Connections because of which it is asked for: who renders it waits
    a moment until it sees them. Empty = it is asked for because of something else."""
    behind: tuple[DeployRequest, ...] = ()
    """Requests that wait behind this one; set only where a queue goes on after a cancel."""
    asked: datetime | None = None
    """When it reached the queue; None = it came before queues told."""
    expires: datetime | None = None
    """When it is given up, if it was not begun by then; None = never. What is begun goes on."""
    waited: LeadTime = LeadTime()
    """Where the time went before it was asked for: approval, freeze and soak of a promotion."""
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

    def followed(self) -> Self:
        """Returns the bundle with only the objects whose readiness is waited for.

        What an activity does not need is not written into the history again.
        """
        kept = tuple(each for each in self.objects if is_followed(each["kind"]))
        return self.model_copy(update={"objects": kept})

    def named(self) -> Self:
        """Returns the bundle without its objects, for whoever needs its name only."""
        return self.model_copy(update={"objects": ()})


class EndpointAt(Wire):
    """Where one endpoint is reached."""

    name: str
    type: str = ""
    visibility: str = ""
    url: str = ""


class PreparedRelease(Wire):
    """A release that is rendered and written down, not yet applied."""

    organization: str
    project: str
    component: str
    environment: str
    binding: str
    binding_kind: str = "ServiceBinding"
    generation: int = 0
    """Generation of the binding that was rendered."""
    deployment: str
    """Name of the Deployment resource that records this."""
    freeze: FreezeVerdict | None = None
    """Whether the place is open; None = nobody asked, as for what goes on in a freeze."""
    artifact: str = ""
    version: str = ""
    """Short name of the artifact's version, for people."""
    image: str = ""
    build_seconds: float | None = None
    """How long the build of the artifact took; None = unknown, or it is not brought anew."""
    task_queue: str
    """Task queue of the data plane's worker."""
    bundle: Bundle
    previous: Bundle = Bundle()
    """The release that ran before: what it had and this one has not is pruned, and it is restored
    when this one fails."""
    from_artifact: str = ""
    """What ran before, for the history; empty = nothing did."""
    from_version: str = ""
    from_image: str = ""
    changed: bool = True
    """False when the content equals that of the release that runs: nothing is rolled out."""
    action: str = "deploy"
    """``deploy``, ``undeploy``, ``suspend``, ``put-back`` or ``rollback``."""
    url: str = ""
    """Where the component answers; empty when it has no public endpoint."""
    endpoints: tuple[EndpointAt, ...] = ()
    """Where each endpoint is reached."""
    progress_deadline_seconds: int = 600
    force_conflicts: bool = False
    """Policy of the environment: take fields over from other managers."""
    put_back: tuple[str, ...] = ()
    """``Kind/name`` of the objects that are put back; empty = the whole release is applied."""
    class_revision: str = ""
    """ClassRevision it was rendered with; empty = unknown."""
    interfaces: str = ""
    """Hash of the Endpoints and Connections it was rendered with; empty = there are none."""
    configuration: tuple[ConfigurationPin, ...] = ()
    """Revisions of the configuration groups it was rendered with."""
    taken: Taken = Taken()
    health: tuple[HealthCheck, ...] = ()
    """How it is told whether objects are well that have no conditions."""
    swept: str = ""
    """Namespace in which everything of the component is removed, as no release tells what it has
    there; empty = a release does, or there is nothing."""
    plane: str = ""
    """DataPlane to which ``task_queue`` belongs; empty = unknown."""
    left: Bundle = Bundle()
    """What runs on another plane, where the environment was before: removed when this is ready."""
    left_queue: str = ""
    """Task queue of that plane; empty = the place is where it was."""
    take_over: bool = False
    """Putting back takes drifted fields over from whoever changed them."""
    probes: ProbeRun | None = None
    """What is tried of its network policies once it runs; None = nothing."""

    def named(self) -> Self:
        """Returns the release without the objects of its bundles, for the record."""
        names = {
            "bundle": self.bundle.named(),
            "previous": self.previous.named(),
            "left": self.left.named(),
            "probes": None,
        }
        return self.model_copy(update=names)


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
    facts: tuple[AuditFact, ...] = ()
    """What the deployment did, to be written down along with its end."""
    lead_time: LeadTime = LeadTime()


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

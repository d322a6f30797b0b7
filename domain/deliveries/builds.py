"""What the build procedure is asked, passes on and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase
from domain.records.facts import AuditFact


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
    pull_path: str = ""
    """Secret of the organization by which nodes pull the builder image; empty = anonymously."""
    pull_host: str = ""
    """Host of the registry that it is for."""


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


class ScanVerdict(Wire):
    """What the platform's scanner said of an image, judged by its SBOM."""

    verdict: Literal["passed", "refused", "unknown"] = "unknown"
    """Unknown = no scanner is set, or it could not judge."""
    reason: str = ""
    """The scanner's last line; empty when none ran."""


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
    sbom: str = ""
    """Name with digest of the SBOM in the registry; empty when there is none."""
    provenance: str = ""
    """Name with digest of the provenance in the registry; empty when there is none."""
    scan: ScanVerdict = ScanVerdict()
    authors: tuple[str, ...] = ()
    """Addresses of those who wrote the commit, as the commit says."""


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
    facts: tuple[AuditFact, ...] = ()
    """What the build did, to be written down along with its end."""


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


class BuildRefusal(Wire):
    """Asks to write down that a request never became a build."""

    request: BuildRequest
    phase: Phase
    message: str

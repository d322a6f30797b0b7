"""What a build is asked and what it left: the build itself and its artifact."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from domain.deliveries import TriggerKind
from domain.phases import Phase
from domain.resources.base import Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.types import (
    CommitOrEmpty,
    DigestImage,
    DigestOrEmpty,
    GitRefOrEmpty,
    ImageOrEmpty,
    Name,
    NameOrEmpty,
    exactly_one,
    immutable,
)

LOG_TAIL_LIMIT = 16_384

LogTail = Annotated[str, Field(max_length=LOG_TAIL_LIMIT)]


class TriggerInfo(Model):
    """Who or what asked."""

    kind: TriggerKind = TriggerKind.RESOURCE
    """How it was asked: webhook, api, resource or automatic."""
    actor: str = Field("", max_length=256)
    """The person or system. Empty = unknown."""
    reference: str = Field("", max_length=512)
    """The request, delivery or resource that asked. Empty = none."""


class OperationRef(Model):
    """The durable procedure that works on a resource."""

    workflow_id: str = Field("", max_length=512)
    """Id of the operation, as the API and the command line take it."""
    run_id: str = Field("", max_length=64)
    """Which run of it."""


class Revision(Model):
    """Which source is meant."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "a revision is exactly one of branch, tag and commit",
            "branch",
            "tag",
            "commit",
        ),
    )

    branch: GitRefOrEmpty = ""
    """The last commit of a branch at the moment the build is accepted."""
    tag: GitRefOrEmpty = ""
    """The commit of a tag."""
    commit: CommitOrEmpty = ""
    """A complete commit id."""

    def __str__(self) -> str:
        return self.commit or self.tag or self.branch


class BuildResourceSpec(Model):
    """Which revision of which component is built."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a Build is one run and does not change: create another one"),
    )

    component_ref: Name
    """Component that is built."""
    revision: Revision | None = None
    """Which source. Absent = the last commit of the component's branch."""


class BuildStage(Model):
    """How long one stage of a build took."""

    name: str = Field(max_length=64)
    """Queue, clone, test, build or push."""
    seconds: float = Field(ge=0)
    """Its duration."""


class BuildStatus(Status):
    """How a build goes or went."""

    phase: Phase | None = None
    """Where it stands. Absent = not looked at yet."""
    message: str = Field("", max_length=4096)
    """Why it stands there."""
    commit: CommitOrEmpty = ""
    """The commit the revision meant."""
    image: ImageOrEmpty = ""
    """The image that came out, by digest."""
    artifact_ref: NameOrEmpty = ""
    """The DeployableArtifact that came out."""
    stages: tuple[BuildStage, ...] = Field((), max_length=32)
    """How long each stage took."""
    log: str = Field("", max_length=512)
    """Key of the archived log in the object store."""
    log_tail: LogTail = ""
    """Last lines of the log of a build that did not succeed."""
    cache_hit: bool = False
    """Layers of an earlier build were used."""
    trigger: TriggerInfo = TriggerInfo()
    """Who or what asked."""
    operation: OperationRef = OperationRef()
    """The procedure."""
    started: AwareDatetime | None = None
    """When it began."""
    finished: AwareDatetime | None = None
    """When it ended."""


class Build(Resource):
    """One build of one revision of a component."""

    kind: ClassVar[str] = "Build"
    plural: ClassVar[str] = "builds"
    short_names: ClassVar[tuple[str, ...]] = ("bld", "blds")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component that is built"),
        Column("Commit", ".status.commit", "The commit the revision meant", wide=True),
        Column("Phase", ".status.phase", "Where it stands"),
        Column("Artifact", ".status.artifactRef", "What came out"),
        Column("Finished", ".status.finished", "When it ended", type="date"),
        Column("Message", ".status.message", "Why it stands there", wide=True),
    )

    spec: BuildResourceSpec
    status: BuildStatus = BuildStatus()

    @property
    def component(self) -> str:
        """Component that is built."""
        return self.spec.component_ref

    @property
    def revision(self) -> str:
        """Branch, tag or commit; empty = the component's branch."""
        return str(self.spec.revision) if self.spec.revision else ""


class ArtifactScan(Model):
    """What the platform's scanner said when the artifact was built."""

    verdict: Literal["passed", "refused", "unknown"] = "unknown"
    """Whether it passed. Unknown = no scanner is set, or it could not judge."""
    reason: str = Field("", max_length=1024)
    """The scanner's last line. Empty = none ran."""


class DeployableArtifactSpec(Model):
    """What can be deployed, and from what it was made."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a DeployableArtifact never changes: build again for another one"),
    )

    component_ref: Name
    """Component it is a version of."""
    image: DigestImage
    """The image, by digest."""
    commit: CommitOrEmpty = ""
    """Commit it was built from. Empty = it was not built here."""
    branch: GitRefOrEmpty = ""
    """Branch that commit was pushed to. Empty = unknown."""
    authors: tuple[Annotated[str, Field(max_length=254)], ...] = Field((), max_length=32)
    """Addresses of those who wrote the commit, as the commit says. They may not approve it."""
    build_ref: NameOrEmpty = ""
    """Build that made it. Empty = it was not built here."""
    build_seconds: float | None = Field(None, ge=0)
    """How long that took, from its request until the image was there. Empty = unknown."""
    test_report: LogTail = ""
    """Last lines of its tests. Empty = it has none."""
    base_images: tuple[Annotated[str, Field(max_length=512)], ...] = Field((), max_length=32)
    """Images it was built upon."""
    template: NameOrEmpty = ""
    """Build template. Empty = it was not built here."""
    template_digest: DigestOrEmpty = ""
    """Digest of the build template. Empty = it was not built here."""
    sbom: ImageOrEmpty = ""
    """Where the registry has the list of what is inside (CycloneDX). Empty = there is none."""
    provenance: ImageOrEmpty = ""
    """Where the registry has the statement of how it was built (SLSA). Empty = there is none."""
    scan: ArtifactScan = ArtifactScan()
    """What the scanner said."""


class DeployableArtifactStatus(Status):
    """What is known of an artifact."""


class DeployableArtifact(Resource):
    """A version of a component that can be deployed anywhere; it never changes."""

    kind: ClassVar[str] = "DeployableArtifact"
    plural: ClassVar[str] = "deployableartifacts"
    short_names: ClassVar[tuple[str, ...]] = ("artifact", "artifacts")
    written_by: ClassVar[WrittenBy] = "platform"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it is a version of"),
        Column("Commit", ".spec.commit", "Commit it was built from"),
        Column("Image", ".spec.image", "The image", wide=True),
    )

    spec: DeployableArtifactSpec
    status: DeployableArtifactStatus = DeployableArtifactStatus()

    @property
    def component(self) -> str:
        """Component it is a version of."""
        return self.spec.component_ref

    @property
    def version(self) -> str:
        """Short name of the version for people: the commit, else the digest."""
        if self.spec.commit:
            return self.spec.commit[:12]
        return self.spec.image.rpartition("sha256:")[2][:12]

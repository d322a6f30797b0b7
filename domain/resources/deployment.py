"""What was brought to an environment, why and since when; and the exact objects it became."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import AwareDatetime, Field

from domain import ids
from domain.errors import Denied
from domain.phases import Phase
from domain.resources.base import Column, Resource, Status, WrittenBy
from domain.resources.build import LogTail, OperationRef, TriggerInfo
from domain.resources.configured import GivenRevision
from domain.resources.model import Model, Rule
from domain.resources.types import (
    Fragment,
    ImageOrEmpty,
    Name,
    NameOrEmpty,
    immutable,
)


class DeployAction(StrEnum):
    """What a deployment does."""

    DEPLOY = "deploy"
    SUSPEND = "suspend"
    UNDEPLOY = "undeploy"
    PUT_BACK = "put-back"
    ROLLBACK = "rollback"


class DeploymentSpec(Model):
    """What is brought where, and who asked."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a Deployment is one event and does not change: change the binding"),
    )

    binding_ref: Name
    """Binding it carries out."""
    binding_generation: int = Field(0, ge=0)
    """Generation of the binding that was carried out."""
    component_ref: Name
    """Component."""
    environment_ref: Name
    """Environment."""
    release_ref: NameOrEmpty = ""
    """Release: the exact objects. Empty = nothing could be rendered."""
    artifact_ref: NameOrEmpty = ""
    """DeployableArtifact."""
    image: ImageOrEmpty = ""
    """Its image."""
    action: DeployAction = DeployAction.DEPLOY
    """deploy, suspend, undeploy, rollback (of a stored release) or put-back (of what others
    changed)."""
    trigger: TriggerInfo = TriggerInfo()
    """Who or what asked."""


class DeploymentStatus(Status):
    """How a deployment went; written once, when it ended."""

    phase: Phase | None = None
    """How it ended. Absent = it has not ended: the binding says where it stands."""
    reason: str = Field("", max_length=128)
    """CamelCase word, such as CrashLoopBackOff."""
    message: str = Field("", max_length=4096)
    """Why it stands there."""
    log_tail: LogTail = ""
    """Last lines of the container that failed."""
    restored: bool = False
    """It failed and what ran before is ready again."""
    url: str = Field("", max_length=1024)
    """Where the component answers. Empty = it has no public endpoint."""
    operation: OperationRef = OperationRef()
    """The procedure."""
    started: AwareDatetime | None = None
    """When it began."""
    finished: AwareDatetime | None = None
    """When it ended."""


class Deployment(Resource):
    """One change of what runs in an environment: what, why, since when, with what result."""

    kind: ClassVar[str] = "Deployment"
    plural: ClassVar[str] = "deployments"
    short_names: ClassVar[tuple[str, ...]] = ("chdeploy", "chdeploys")
    written_by: ClassVar[WrittenBy] = "platform"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component"),
        Column("Environment", ".spec.environmentRef", "Environment"),
        Column("Artifact", ".spec.artifactRef", "What is brought there"),
        Column("Phase", ".status.phase", "Where it stands"),
        Column("Reason", ".status.reason", "Why it stands there"),
        Column("Action", ".spec.action", "What it does", wide=True),
        Column("Message", ".status.message", "Why it stands there", wide=True),
        Column("By", ".spec.trigger.actor", "Who asked", wide=True),
        Column("Finished", ".status.finished", "When it ended", type="date"),
    )

    spec: DeploymentSpec
    status: DeploymentStatus = DeploymentStatus()


class ReleaseSpec(Model):
    """Exact objects."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a Release never changes: it is named by its content"),
        Rule(
            "!(has(self.objects) && size(self.objects) > 0 && has(self.stored) "
            "&& self.stored != '')",
            "a Release holds its objects or names where they are stored, not both",
            lambda spec: not (spec.objects and spec.stored),
        ),
    )

    component_ref: Name
    """Component."""
    environment_ref: Name
    """Environment."""
    namespace: Name
    """Namespace on the plane."""
    image: ImageOrEmpty = ""
    """Image of the component's own container. Empty = nothing runs."""
    version: str = Field("", max_length=64)
    """Short name of what runs: beginning of the commit. Empty = unknown."""
    class_revision_ref: NameOrEmpty = ""
    """ClassRevision it was rendered with. Empty = unknown."""
    hash: str = Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the objects as canonical JSON."""
    objects: tuple[Fragment, ...] = Field((), max_length=200)
    """The objects in the order in which they are applied. Empty = see `stored`."""
    configuration: tuple[GivenRevision, ...] = Field((), max_length=60)
    """ConfigurationRevisions it was rendered with. Empty = it has no configuration."""
    stored: str = Field("", max_length=512)
    """Key in the object store when the objects are too large to stand here. Empty = they do."""


class ReleaseHealth(StrEnum):
    """How the objects of a release are."""

    PROGRESSING = "Progressing"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    SUSPENDED = "Suspended"
    RETIRED = "Retired"


class ReleaseStatus(Status):
    """How the objects of a release are."""

    health: ReleaseHealth | None = None
    """Progressing, Healthy, Degraded, Suspended, or Retired when another one took its place."""
    message: str = Field("", max_length=4096)
    """Why."""
    applied: AwareDatetime | None = None
    """When it was last brought to the plane."""


class Release(Resource):
    """The exact objects that a component became in an environment; named by content."""

    kind: ClassVar[str] = "Release"
    plural: ClassVar[str] = "releases"
    short_names: ClassVar[tuple[str, ...]] = ("rel", "rels")
    written_by: ClassVar[WrittenBy] = "platform"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component"),
        Column("Environment", ".spec.environmentRef", "Environment"),
        Column("Health", ".status.health", "How the objects are"),
        Column("Image", ".spec.image", "Image that runs", wide=True),
    )

    spec: ReleaseSpec
    status: ReleaseStatus = ReleaseStatus()

    @property
    def stored(self) -> str:
        """Key under which its objects lie in the object store; empty = they stand here.

        Raises:
            Denied: It names objects of something else, perhaps of another organization.
        """
        own = ids.bundle_key(self.namespace, self.spec.namespace, self.name)
        if self.spec.stored not in {"", own}:
            raise Denied(
                f"Release {self.name} in {self.namespace} names objects that are not its own: "
                "delete it and deploy again"
            )
        return self.spec.stored

    @property
    def is_intact(self) -> bool:
        """Tells whether the objects that stand here still have the hash they were written with.

        To be asked before they are applied again: a backup or a person with rights on the storage
        can get past the rules of the API server.
        """
        return bool(self.spec.stored) or self.spec.hash == objects_hash(self.spec.objects)


def objects_hash(objects: Iterable[Mapping[str, Any]]) -> str:
    """Returns the hash by which a release is known."""
    return ids.content_hash([dict(one) for one in objects])

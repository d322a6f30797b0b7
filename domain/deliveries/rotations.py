"""What the turning over of a secret is asked, passes on and answers. References, never a value."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.secrets import SecretConsumer
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase


class RotationRequest(Wire):
    """Turns one secret over."""

    organization: str
    rotation: str
    """Name of the SecretRotation."""
    trigger: Trigger = Trigger()
    leaked: bool = False
    """The present credential is known to strangers: it is locked soon, whoever uses it."""


class DatabaseTarget(Wire):
    """Two roles of a PostgreSQL database that take turns."""

    host: str
    port: int
    name: str
    roles: tuple[str, ...]
    admin_path: str


class CertificateName(Wire):
    """One certificate of a secret, and whom it is for."""

    name: str
    common_name: str
    alt_names: tuple[str, ...] = ()


class CertificateTarget(Wire):
    """Certificates of one issuer that trust each other."""

    role: str
    certificates: tuple[CertificateName, ...]
    ttl_seconds: int
    issuer_ttl_seconds: int
    always_new_issuer: bool = False


class RegistryTarget(Wire):
    """Two users of an OCI registry that take turns."""

    url: str
    users: tuple[str, ...]
    htpasswd_path: str


class RotationPlan(Wire):
    """What a SecretRotation says, and where its organization runs things."""

    organization: str
    rotation: str
    engine: str
    path: str
    fields: tuple[str, ...] = ()
    database: DatabaseTarget | None = None
    app_role: str = ""
    certificates: CertificateTarget | None = None
    registry: RegistryTarget | None = None
    max_age_seconds: int = 0
    """How long the new credential may be used; 0 = as long as it works."""
    must_have: tuple[str, ...] = ()
    """Components that must be among the consumers."""
    quiet_seconds: int = 86400
    destroy_after_seconds: int = 3600
    approval: ApprovalRule | None = None
    planes: tuple[str, ...] = ()
    """Task queues of the planes."""
    leaked: bool = False
    """The old credential is known to strangers: who uses it is not waited for, but cut off."""


class SecretTurn(Wire):
    """One turning over of one secret: what each of its steps is about."""

    plan: RotationPlan
    id: str
    """What marks the new version: workflow and run."""
    before: int = 0
    """Version that was in use."""
    newest: int = 0
    """Newest version there was; the next one is written only over it."""
    version: int = 0
    """The new version; 0 = not written yet."""
    attempt: int = 1
    """Which value it is: one that the target refuses is made anew."""
    trust: int = 0
    """Version with the old certificates that trusts the old and the new issuer; 0 = none."""
    last: int = 0
    """Version with the new certificates that trusts the new issuer alone; 0 = none yet."""

    expires: datetime | None = None
    """When the new credential works no more by itself. None = it does not say."""
    readers: tuple[str, ...] = Field((), max_length=100)
    """Service accounts that read the old version themselves, as ``NAMESPACE/NAME``."""

    @property
    def mark(self) -> str:
        """Marks the version of this attempt."""
        return f"{self.id}/{self.attempt}"

    @property
    def base(self) -> int:
        """The version the new one is made from: what everyone has before they get it."""
        return self.trust or self.before

    @property
    def reached(self) -> int:
        """The version that is in use at the end."""
        return self.last or self.version

    @property
    def bound(self) -> dict[str, Any]:
        """What an approval is about.

        Fields that came later are left out where they say nothing, so that approvals that are being
        asked keep their hash.
        """
        content = self.model_dump(mode="json")
        if self.plan.certificates is None:
            del content["trust"], content["last"], content["expires"]
            del content["plan"]["certificates"]
        for name in ("registry", "max_age_seconds"):
            if not content["plan"][name]:
                del content["plan"][name]
        if not self.readers:
            del content["readers"]
        return content


class OldUsers(Wire):
    """Who still uses the old credential."""

    unused: bool = False
    """True = it was seen unused for as long as it must be."""
    users: tuple[str, ...] = ()


class PlaneConsumers(Wire):
    """Consumers of one plane."""

    queue: str
    items: tuple[SecretConsumer, ...] = ()


class Rotation(Wire):
    """How a turning over ended."""

    organization: str
    rotation: str
    path: str
    before: int
    version: int
    consumers: tuple[str, ...] = Field((), max_length=10_000)
    message: str = ""


class RotationNote(Wire):
    """What the SecretRotation is told of its rotation."""

    organization: str
    rotation: str
    phase: Phase
    message: str = ""
    version: int = 0
    """The version in use since; 0 = as before."""
    workflow_id: str = ""
    run_id: str = ""
    expires: datetime | None = None
    """When what came into use works no more by itself. None = it does not say."""


class RotationStatus(Wire):
    """Answer of the query ``rotation``."""

    turn: SecretTurn | None = None
    consumers: tuple[PlaneConsumers, ...] = ()
    paused_by: str = ""
    """Who holds it; empty = nobody."""
    users: tuple[str, ...] = ()
    """Who still uses the old credential."""
    can_roll_back: bool = True


class HoldOrder(Wire):
    """Holds a rotation at its next safe point, or lets it go on."""

    holds: bool
    actor: str = ""
    reason: str = ""

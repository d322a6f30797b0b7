"""The turning over of secrets: which, when and how."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from domain.resources.approval import ApprovalPolicy
from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.build import OperationRef
from domain.resources.configured import VaultPath
from domain.resources.model import Model
from domain.resources.types import Name, Port

SqlRole = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z_][a-z0-9_]*$")]
FieldName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
]

RegistryUser = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9._-]*$")]

HostOrAddress = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9*.:_-]+$")]


class RotationEngine(StrEnum):
    """How a new credential comes about."""

    KV = "KV"
    DATABASE = "Database"
    APP_ROLE = "AppRole"
    PKI = "PKI"
    REGISTRY = "Registry"


class DatabaseRotation(Model):
    """Two roles of a PostgreSQL database that take turns, so that one always works."""

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")
    """Where the server is, as the worker of the task queue `secrets` reaches it."""
    port: Port = 5432
    """Its port."""
    name: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")
    """Name of the database."""
    roles: tuple[SqlRole, ...] = Field(min_length=2, max_length=2)
    """The two roles. Both exist, with the same rights; between rotations only one may log in."""
    admin_path: VaultPath = Field(min_length=1)
    """Secret with `username` and `password` of a role that may alter those two."""


class IssuerChange(StrEnum):
    """When certificates get a new issuer."""

    WHEN_NEEDED = "WhenNeeded"
    ALWAYS = "Always"


class IssuedCertificate(Model):
    """One certificate of a secret: the fields `NAME.crt` and `NAME.key`."""

    name: FieldName
    """First part of its fields. They and `ca.crt` are what services are given."""
    common_name: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9*._-]+$")
    """Whom it is for."""
    alt_names: tuple[HostOrAddress, ...] = Field((), max_length=50)
    """Further host names and addresses it is for."""


class CertificateRotation(Model):
    """Certificates of one issuer that trust each other, by the field `ca.crt` of the secret."""

    role: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_.-]+$")
    """Role below `pki/ORGANIZATION`: it says which names and how long. Its key type is `ec` or
    `any`."""
    certificates: tuple[IssuedCertificate, ...] = Field(min_length=1, max_length=20)
    """What is issued anew."""
    ttl_seconds: int = Field(2592000, ge=60, le=31536000)
    """How long a certificate is good for."""
    issuer_ttl_seconds: int = Field(31536000, ge=120, le=315360000)
    """How long a new issuer is good for."""
    new_issuer: IssuerChange = IssuerChange.WHEN_NEEDED
    """WhenNeeded = when the present issuer ends before certificates of it would, or leaked.
    Always = each time."""


class RegistryRotation(Model):
    """Two users of an OCI registry that take turns, so that one can always pull."""

    url: str = Field(min_length=1, max_length=512, pattern=r"^https?://[^\s@/]+/?$")
    """Where the registry is, as the worker of the task queue `secrets` reaches it. It asks for user
    and password (HTTP basic) by an htpasswd file."""
    users: tuple[RegistryUser, ...] = Field(min_length=2, max_length=2)
    """The two users. Between rotations only one is in the file."""
    htpasswd_path: VaultPath = Field(min_length=1)
    """Secret with the file, in the field `htpasswd`; what brings secrets to the registry brings it
    there. It holds bcrypt hashes."""


class SecretRotationSpec(Model):
    """Which secret is turned over, when and how."""

    engine: RotationEngine
    """KV = a generated value is written. Database = a role of a database gets a new password.
    AppRole = a new secret id. PKI = new certificates; a new issuer is trusted by all before.
    Registry = a user of an OCI registry gets a new password."""
    vault_path: VaultPath = Field(min_length=1)
    """Where the secret is kept in Vault or OpenBao."""
    cron: str = Field("", max_length=128, pattern=r"^(@[a-z]+|\S+( +\S+){4})?$")
    """When it is turned over: five fields as in crontab. Empty = only when a person asks."""
    time_zone: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")
    """Time zone of the fields. Empty = UTC."""
    jitter_seconds: int = Field(300, ge=0, le=86400)
    """By how much it may begin later, so that not all begin at once."""
    suspended: bool = False
    """true = nothing begins by itself; people can still ask."""
    fields: tuple[FieldName, ...] = Field((), max_length=20)
    """With the engine KV: fields that get a new value. Empty = `value`."""
    database: DatabaseRotation | None = None
    """With the engine Database: which one. Absent = none."""
    app_role: str = Field("", max_length=63, pattern=r"^[A-Za-z0-9_.-]*$")
    """With the engine AppRole: name of the role below `auth/org/ORGANIZATION`."""
    pki: CertificateRotation | None = None
    """With the engine PKI: which certificates. Absent = none."""
    registry: RegistryRotation | None = None
    """With the engine Registry: which one. Absent = none."""
    max_age_seconds: int = Field(0, ge=0, le=315360000)
    """How long a credential may be used: then it counts as expired, and its owner is told before.
    0 = as long as it works."""
    consumer_refs: tuple[Name, ...] = Field(
        (), max_length=100, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Components that must be among those that use it, as found on the planes. Empty = whoever is
    found."""
    grace_seconds: int = Field(86400, ge=0, le=7776000)
    """How long the old credential must be seen unused before it is locked."""
    destroy_after_seconds: int = Field(3600, ge=0, le=7776000)
    """How long it stays locked, and the rotation can still be undone, before it is destroyed."""
    approval: ApprovalPolicy | None = None
    """Who must agree before the old credential is locked. Absent = nobody."""


class SecretRotationStatus(Status):
    """What is known of a rotation."""

    last_rotated: AwareDatetime | None = None
    """When the secret was turned over last. Absent = never."""
    version: int = Field(0, ge=0)
    """Version that came into use then. 0 = none."""
    expires: AwareDatetime | None = None
    """When what came into use then works no more by itself. Absent = it does not say."""
    operation: OperationRef = OperationRef()
    """The procedure that turns it over, or did last."""


class SecretRotation(Resource):
    """The turning over of one secret."""

    kind: ClassVar[str] = "SecretRotation"
    plural: ClassVar[str] = "secretrotations"
    short_names: ClassVar[tuple[str, ...]] = ("rotation", "rotations")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Engine", ".spec.engine", "How a new credential comes about"),
        Column("Path", ".spec.vaultPath", "Where the secret is kept"),
        Column("Cron", ".spec.cron", "When it is turned over"),
        Column("Last", ".status.lastRotated", "When it was turned over last", type="date"),
        Column("Expires", ".status.expires", "When it works no more by itself"),
        Column(
            "Rotated",
            '.status.conditions[?(@.type=="Rotated")].reason',
            "How its last rotation stands",
        ),
        *READY_COLUMNS,
    )

    spec: SecretRotationSpec
    status: SecretRotationStatus = SecretRotationStatus()

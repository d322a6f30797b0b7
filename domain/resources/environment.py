"""Where a component runs in the course of its life."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model
from domain.resources.quota import Quota
from domain.resources.types import Name, NameOrEmpty, Text


class DriftPolicy(StrEnum):
    """What is done about an object on the plane that someone else changed."""

    REPORT = "Report"
    RESTORE = "Restore"


class ConflictPolicy(StrEnum):
    """What is done about fields that another field manager owns."""

    REPORT = "Report"
    FORCE = "Force"


class EnvironmentGateway(Model):
    """How components of the environment are reached from outside."""

    dns_prefix: NameOrEmpty = ""
    """Label before the plane's domain: `<dnsPrefix>.<domain>`. Empty = the environment's name."""
    enable_jwt_auth: bool = Field(default=False, alias="enableJWTAuth")
    """Public endpoints demand a valid JWT."""


class EnvironmentSpec(Model):
    """A place where components run."""

    description: Text = ""
    """What the environment is for."""
    data_plane_ref: Name
    """DataPlane on which it lies."""
    is_production: bool = False
    """Real users depend on it."""
    gateway: EnvironmentGateway = EnvironmentGateway()
    """How its components are reached."""
    drift: DriftPolicy = DriftPolicy.REPORT
    """Report = an object changed by someone else is reported by field. Restore = it is put back."""
    max_put_backs_per_hour: int = Field(3, ge=1, le=60)
    """How often the same field is put back within an hour. Whoever changes it once more is named
    and the field is left alone for a day."""
    conflicts: ConflictPolicy = ConflictPolicy.REPORT
    """Report = a deployment stops at fields another manager owns. Force = it takes them over."""
    quota: Quota = Quota()
    """How much all components in it may take up together. Empty = no bound."""


class EnvironmentStatus(Status):
    """What is known of an environment."""


class Environment(Resource):
    """A place where components run, such as development, staging or production."""

    kind: ClassVar[str] = "Environment"
    plural: ClassVar[str] = "environments"
    short_names: ClassVar[tuple[str, ...]] = ("env", "envs")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Plane", ".spec.dataPlaneRef", "DataPlane on which it lies"),
        Column("Production", ".spec.isProduction", "Real users depend on it"),
        Column("Prefix", ".spec.gateway.dnsPrefix", "Label before the plane's domain"),
        *READY_COLUMNS,
    )

    spec: EnvironmentSpec
    status: EnvironmentStatus = EnvironmentStatus()

    @property
    def dns_prefix(self) -> str:
        """Label before the plane's domain."""
        return self.spec.gateway.dns_prefix or self.name

"""Where a component runs in the course of its life."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.quota import Quota
from domain.resources.types import Name, NameOrEmpty, Text, list_by


class DriftPolicy(StrEnum):
    """What is done about an object on the plane that someone else changed."""

    REPORT = "Report"
    RESTORE = "Restore"


class ConflictPolicy(StrEnum):
    """What is done about fields that another field manager owns."""

    REPORT = "Report"
    FORCE = "Force"


class ProbePolicy(StrEnum):
    """What is done about network policies that do not let through what is declared."""

    OFF = "Off"
    OBSERVE = "Observe"
    ENFORCE = "Enforce"


class EnvironmentNetwork(Model):
    """How changes of network policies are looked after."""

    probes: ProbePolicy = ProbePolicy.OFF
    """Whether connections are tried from pods after a release that changes what may talk. Observe =
    what is not as declared is told. Enforce = it fails the release, and what ran before is brought
    back. Both need spec.network.probeImage of the DataPlane."""


class TokenIssuer(Model):
    """Whose JSON Web Tokens are believed."""

    issuer: str = Field(min_length=1, max_length=253, pattern=r"^[!-~]+$")
    """What the token says in `iss`, such as https://login.example.org."""
    jwks_uri: str = Field(max_length=253, pattern=r"^https://[!-~]+$")
    """Where the gateway fetches the keys that sign them; https only."""
    audiences: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field(
        (), max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Of these a token has to name one in `aud`. Empty = it is not looked at."""


class EnvironmentGateway(Model):
    """How components of the environment are reached from outside."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.jwt) || (has(self.enableJWTAuth) && self.enableJWTAuth)",
            "jwt says whose tokens are demanded: set enableJWTAuth, or leave it out",
            lambda gateway: gateway.jwt is None or gateway.enable_jwt_auth,
        ),
    )

    dns_prefix: NameOrEmpty = ""
    """Label before the plane's domain: `<dnsPrefix>.<domain>`. Empty = the environment's name."""
    enable_jwt_auth: bool = Field(default=False, alias="enableJWTAuth")
    """Public endpoints demand a valid JWT in the header Authorization. Where the gateway of the
    plane cannot check it, components cannot be public."""
    jwt: TokenIssuer | None = None
    """Whose tokens. Absent = nobody's: components cannot be public where tokens are demanded."""


class WebCheck(Model):
    """A request to a component, as somebody outside would make it."""

    name: Name
    """Name of the check."""
    component: Name
    """Component that is asked, at the address at which it answers."""
    path: str = Field("/", max_length=1024, pattern=r"^/[!-~]*$")
    """What is asked for, with its query."""
    statuses: tuple[Annotated[int, Field(ge=100, le=599)], ...] = Field(
        (), max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Statuses that are well. Empty = all from 200 to 399."""
    timeout_seconds: int = Field(10, ge=1, le=30)
    """How long an answer may take."""


class MetricCheck(Model):
    """A question to the Prometheus of the plane; written like the expression of an alert."""

    name: Name
    """Name of the check."""
    query: str = Field(min_length=1, max_length=2048)
    """PromQL of what is wrong, as `rate(errors_total[5m]) > 1`: each series of the answer is
    unwell, no series is well."""
    timeout_seconds: int = Field(10, ge=1, le=30)
    """How long an answer may take."""


class HealthSchedule(Model):
    """How the health of all that runs in the environment is looked after."""

    every_seconds: int = Field(300, ge=30, le=86400)
    """How often it is looked at."""
    suspended: bool = False
    """true = nobody looks; `pavane schedules trigger` still does once."""
    unhealthy_after: int = Field(2, ge=1, le=10)
    """How many looks in a row must find it unwell before it is told."""
    healthy_after: int = Field(2, ge=1, le=10)
    """How many looks in a row must find it well again before that is told."""
    flaps_per_hour: int = Field(4, ge=2, le=60)
    """What changes as often within an hour is told to be unsteady, once, and then not again until
    it stayed as it is for an hour."""
    checks: tuple[WebCheck, ...] = Field((), max_length=50, json_schema_extra=list_by("name"))
    """Requests that are made at each look."""
    metrics: tuple[MetricCheck, ...] = Field((), max_length=50, json_schema_extra=list_by("name"))
    """What is asked at each look of the Prometheus of the plane's ObservabilityPlane."""


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
    network: EnvironmentNetwork = EnvironmentNetwork()
    """How changes of network policies are looked after."""
    drift: DriftPolicy = DriftPolicy.REPORT
    """Report = an object changed by someone else is reported by field. Restore = it is put back."""
    max_put_backs_per_hour: int = Field(3, ge=1, le=60)
    """How often the same field is put back within an hour. Whoever changes it once more is named
    and the field is left alone for a day."""
    conflicts: ConflictPolicy = ConflictPolicy.REPORT
    """Report = a deployment stops at fields another manager owns. Force = it takes them over."""
    quota: Quota = Quota()
    """How much all components in it may take up together. Empty = no bound."""
    health: HealthSchedule | None = None
    """How the health of its components is looked after. Absent = only while they are deployed."""


class SubjectHealth(Model):
    """The health of one component, or of one check, as it was told."""

    model_config = ConfigDict(extra="ignore")

    subject: str = Field(max_length=128)
    """`component NAME` or `check NAME`."""
    healthy: bool
    """Whether it is well."""
    unsteady: bool = False
    """It goes to and fro, so its changes are not told."""
    since: datetime
    """Since when that is so."""
    reason: str = Field("", max_length=128)
    """Why, in one word."""
    message: str = Field("", max_length=1024)
    """Why."""


class EnvironmentStatus(Status):
    """What is known of an environment."""

    health: tuple[SubjectHealth, ...] = Field(
        (), max_length=1000, json_schema_extra=list_by("subject")
    )
    """What the looks told, of those that were unwell at some time. Empty = nothing ever was."""


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
        Column(
            "Healthy",
            '.status.conditions[?(@.type=="Healthy")].status',
            "Whether all in it is well; Unknown = nobody looked",
        ),
        *READY_COLUMNS,
    )

    spec: EnvironmentSpec
    status: EnvironmentStatus = EnvironmentStatus()

    @property
    def dns_prefix(self) -> str:
        """Label before the plane's domain."""
        return self.spec.gateway.dns_prefix or self.name

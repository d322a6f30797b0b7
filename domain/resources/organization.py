"""The tenant: who may do what in it, and how its builds share the plane."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Scope, Status, WrittenBy
from domain.resources.configured import GroupRefs
from domain.resources.model import Model
from domain.resources.quota import Quota
from domain.resources.rights.grants import AccessGrant, BreakGlassPolicy
from domain.resources.rights.rules import AccessRule, Action
from domain.resources.types import NameOrEmpty, Text, list_by


class SupersedePolicy(StrEnum):
    """What a newer commit does to a build that still runs."""

    SAME_BRANCH = "SameBranch"
    NEVER = "Never"


class BuildsPolicy(Model):
    """How the builds of the organization share the build plane."""

    build_plane_ref: NameOrEmpty = ""
    """BuildPlane on which builds run. Empty = the only one the organization has."""
    concurrency: int = Field(4, ge=1, le=200)
    """How many builds may run at once; of the others each project has its turn."""
    supersede: SupersedePolicy = SupersedePolicy.SAME_BRANCH
    """SameBranch = a newer commit of a branch cancels the build of an older one that still runs.
    Never = every commit is built."""


RegistryPrefix = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._/-]*)?$",
    ),
]
HostDomain = Annotated[
    str,
    Field(
        min_length=3,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$",
    ),
]
LabelKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
    ),
]


class TenantSecurity(Model):
    """What holds for everything of the organization, whoever writes it."""

    allowed_registries: tuple[RegistryPrefix, ...] = Field((), max_length=50)
    """Where images may come from besides the organization's own repositories: host, or host and
    path. Empty = from anywhere but the repositories of other organizations."""
    required_labels: tuple[LabelKey, ...] = Field((), max_length=20)
    """Labels that every Project and Component must carry."""


class OrganizationSpec(Model):
    """Who may do what in the organization."""

    display_name: str = Field("", max_length=128)
    """Name for people. Empty = the resource's name."""
    description: Text = ""
    """What the organization is for."""
    access: tuple[AccessRule, ...] = Field((), max_length=200)
    """Who may do what. Empty = only the administrators of the installation."""
    builds: BuildsPolicy = BuildsPolicy()
    """How builds share the build plane."""
    quota: Quota = Quota()
    """How much all components in it may take up together. Empty = no bound."""
    security: TenantSecurity = TenantSecurity()
    """What holds for everything in it."""
    host_domains: tuple[HostDomain, ...] = Field(
        (), max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Domains in which its public endpoints may have host names of their own, such as example.org.
    One that lies in a domain of another organization is that of the older one. Empty = none."""
    configuration_group_refs: GroupRefs = ()
    """ConfigurationGroups that all its components use. Empty = none."""
    break_glass: BreakGlassPolicy | None = None
    """What people may ask for beyond their role in an emergency. Absent = nothing."""


class OrganizationStatus(Status):
    """What the platform set up for the organization."""

    namespace: NameOrEmpty = ""
    """Namespace of its resources."""
    repository: str = Field("", max_length=512)
    """Where its images lie in the registry: `<host>/<prefix>/<organization>`."""
    setup: str = Field("", max_length=64)
    """Hash of what the last complete set-up was made of: rules, projects, environments, planes."""
    grants: tuple[AccessGrant, ...] = Field((), max_length=50, json_schema_extra=list_by("id"))
    """Roles that people have for a while."""


class Organization(Resource):
    """A tenant. Everything of it lives in the namespace of its name."""

    kind: ClassVar[str] = "Organization"
    plural: ClassVar[str] = "organizations"
    scope: ClassVar[Scope] = "Cluster"
    short_names: ClassVar[tuple[str, ...]] = ("org", "orgs")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Namespace", ".status.namespace", "Namespace of its resources"),
        *READY_COLUMNS,
    )

    spec: OrganizationSpec = OrganizationSpec()
    status: OrganizationStatus = OrganizationStatus()

    @property
    def organization(self) -> str:
        """Itself."""
        return self.name

    def allows(
        self,
        action: Action,
        *,
        subject: str,
        email: str = "",
        groups: frozenset[str] = frozenset(),
        project: str = "",
        environment: str = "",
    ) -> bool:
        """Tells whether a person may do something in a place of the organization."""
        return any(
            rule.names(subject=subject, email=email, groups=groups)
            and rule.grants(action, project=project, environment=environment)
            for rule in self.spec.access
        )

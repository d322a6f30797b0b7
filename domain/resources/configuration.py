"""Values that differ by environment, and the turning over of secrets."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.types import Name, NameOrEmpty, Text, exactly_one, list_by

PRODUCTION_GROUP = "production"
NON_PRODUCTION_GROUP = "non-production"
VaultPath = Annotated[str, Field(max_length=512, pattern=r"^[A-Za-z0-9_./-]*$")]


class EnvironmentGroup(Model):
    """Environments that get the same values."""

    name: Name
    """Its name."""
    environments: tuple[Name, ...] = Field(
        (), max_length=50, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Its environments. Empty = none."""


class ConfigurationValue(Model):
    """The value of a key in some environments."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "a value is for exactly one of environmentGroupRef and environmentRef",
            "environment_group_ref",
            "environment_ref",
        ),
        Rule(
            "!(has(self.value) && self.value != '' && has(self.vaultKey) && self.vaultKey != '')",
            "a value is written down or kept in Vault, not both",
            lambda value: not (value.value and value.vault_key),
        ),
    )

    environment_group_ref: NameOrEmpty = ""
    """Group of environments: one of `environmentGroups`, or `production` and `non-production`,
    which there always are, by isProduction of the Environment. Empty = see environmentRef."""
    environment_ref: NameOrEmpty = ""
    """One environment; goes before its group. Empty = see environmentGroupRef."""
    value: str = Field("", max_length=8192)
    """The value, for all to read. Empty = nothing, or see vaultKey."""
    vault_key: VaultPath = ""
    """Path in Vault or OpenBao where the value is kept. Empty = see value."""


class Configuration(Model):
    """One key."""

    key: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._-]+$")
    """Its name."""
    description: Text = ""
    """What it decides."""
    values: tuple[ConfigurationValue, ...] = Field((), max_length=50)
    """Its values. Empty = it has none anywhere."""


class ConfigurationGroupSpec(Model):
    """Keys and their values by environment."""

    project_ref: NameOrEmpty = ""
    """Project whose components may use it. Empty = those of the whole organization."""
    environment_groups: tuple[EnvironmentGroup, ...] = Field(
        (), max_length=20, json_schema_extra=list_by("name")
    )
    """Groups of environments that values may name. Empty = production and non-production only."""
    configurations: tuple[Configuration, ...] = Field(
        (), max_length=200, json_schema_extra=list_by("key")
    )
    """The keys. Empty = none."""


class ConfigurationGroupStatus(Status):
    """What is known of a configuration group."""


class ConfigurationGroup(Resource):
    """Configuration whose values differ by environment."""

    kind: ClassVar[str] = "ConfigurationGroup"
    plural: ClassVar[str] = "configurationgroups"
    short_names: ClassVar[tuple[str, ...]] = ("config", "configs")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Project", ".spec.projectRef", "Project whose components may use it"),
        Column("Keys", ".spec.configurations[*].key", "The keys", wide=True),
        *READY_COLUMNS,
    )

    spec: ConfigurationGroupSpec = ConfigurationGroupSpec()
    status: ConfigurationGroupStatus = ConfigurationGroupStatus()

    def problems(self) -> tuple[str, ...]:
        """Says which groups are named and not there; empty when nothing is wrong."""
        known = {one.name for one in self.spec.environment_groups}
        known |= {PRODUCTION_GROUP, NON_PRODUCTION_GROUP}
        return tuple(
            f"spec.configurations[{index}] ({one.key}) names the environment group "
            f"{value.environment_group_ref}, which spec.environmentGroups does not have"
            for index, one in enumerate(self.spec.configurations)
            for value in one.values
            if value.environment_group_ref and value.environment_group_ref not in known
        )


class RotationEngine(StrEnum):
    """How a new credential comes about."""

    KV = "KV"
    DATABASE = "Database"
    APP_ROLE = "AppRole"
    PKI = "PKI"


class SecretRotationSpec(Model):
    """Which secret is turned over, when and how."""

    engine: RotationEngine
    """KV = a generated value is written. Database = a role of a database gets a new password.
    AppRole = a new secret id. PKI = a new certificate."""
    vault_path: VaultPath = Field(min_length=1)
    """Where the secret is kept in Vault or OpenBao."""
    cron: str = Field("", max_length=128, pattern=r"^(@[a-z]+|\S+( +\S+){4})?$")
    """When it is turned over: five fields as in crontab. Empty = only when a person asks."""
    time_zone: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")
    """Time zone of the fields. Empty = UTC."""
    consumer_refs: tuple[Name, ...] = Field(
        (), max_length=100, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Components that use it and are restarted one after the other. Empty = nobody uses it."""
    grace_seconds: int = Field(86400, ge=0, le=7776000)
    """How long the old credential stays usable after nobody uses it any more."""


class SecretRotationStatus(Status):
    """What is known of a rotation."""


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
        *READY_COLUMNS,
    )

    spec: SecretRotationSpec
    status: SecretRotationStatus = SecretRotationStatus()

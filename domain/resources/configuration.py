"""Values that differ by environment, and the turning over of secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from domain import ids
from domain.resources.base import READY_COLUMNS, Column, Metadata, Resource, Status, WrittenBy
from domain.resources.build import OperationRef
from domain.resources.configured import (
    KEY_PATTERN,
    PLAIN_OR_VAULT,
    ConfigurationRollout,
    ReleasedConfiguration,
    VaultPath,
)
from domain.resources.model import Model, Rule
from domain.resources.types import (
    Fragment,
    Name,
    NameOrEmpty,
    Text,
    exactly_one,
    immutable,
    list_by,
)

PRODUCTION_GROUP = "production"
NON_PRODUCTION_GROUP = "non-production"


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
        PLAIN_OR_VAULT,
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

    key: str = Field(min_length=1, max_length=253, pattern=KEY_PATTERN)
    """Its name. In values of other keys `${name}` stands for it."""
    description: Text = ""
    """What it decides."""
    env: str = Field("", max_length=128, pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Environment variable that carries it. Empty = the key in capitals with underscores, such as
    DATABASE_URL of database.url, unless it is a file."""
    file: str = Field("", max_length=256, pattern=r"^((/[A-Za-z0-9._@-]+)+)?$")
    """Path of the file that holds it, from the root. Empty = it is a variable."""
    required: bool = False
    """Nothing that uses the group runs where it has no value."""
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
    rollout: ConfigurationRollout = ConfigurationRollout()
    """How a change comes to the components that use it."""

    @property
    def content(self) -> dict[str, Any]:
        """What decides what components get: all but words for people."""
        written = self.model_dump(mode="json", by_alias=True, exclude={"project_ref", "rollout"})
        for one in written.get("configurations", ()):
            one.pop("description", None)
        return written


class ConfigurationGroupStatus(Status):
    """What is known of a configuration group."""

    revision: NameOrEmpty = ""
    """ConfigurationRevision that was released last."""
    operation: OperationRef = OperationRef()
    """The procedure that released it."""
    history: tuple[ReleasedConfiguration, ...] = Field((), max_length=50)
    """The last releases, oldest first."""


class ConfigurationGroup(Resource):
    """Configuration whose values differ by environment."""

    kind: ClassVar[str] = "ConfigurationGroup"
    plural: ClassVar[str] = "configurationgroups"
    short_names: ClassVar[tuple[str, ...]] = ("config", "configs")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Project", ".spec.projectRef", "Project whose components may use it"),
        Column("Revision", ".status.revision", "What was released last"),
        Column(
            "Released",
            '.status.conditions[?(@.type=="Released")].reason',
            "Whether components have what it says",
        ),
        Column("Keys", ".spec.configurations[*].key", "The keys", wide=True),
        *READY_COLUMNS,
    )

    spec: ConfigurationGroupSpec = ConfigurationGroupSpec()
    status: ConfigurationGroupStatus = ConfigurationGroupStatus()

    @property
    def revision(self) -> str:
        """Name of the ConfigurationRevision of its present content."""
        return ids.content_name(self.name, self.spec.content)

    def problems(self) -> tuple[str, ...]:
        """Says what contradicts itself, whoever uses the group; empty when nothing is wrong."""
        return tuple(
            f"spec.configurations[{index}] ({one.key}) {problem}"
            for index, one in enumerate(self.spec.configurations)
            for problem in self._problems_of(one)
        )

    def _problems_of(self, one: Configuration) -> Iterator[str]:
        own = {group.name: group.environments for group in self.spec.environment_groups}
        if one.env and one.file:
            yield "is a variable or a file: set env or file, not both"
        seen: set[str] = set()
        places: dict[str, str] = {}
        for value in one.values:
            named = value.environment_group_ref
            if named and named not in {*own, PRODUCTION_GROUP, NON_PRODUCTION_GROUP}:
                yield (
                    f"names the environment group {named}, which spec.environmentGroups does "
                    "not have"
                )
            said = named or f"environment {value.environment_ref}"
            if said in seen:
                yield f"has two values for {said}"
            seen.add(said)
            for place in own.get(named, ()):
                if places.setdefault(place, named) != named:
                    yield (
                        f"has values for {places[place]} and {named}, which both hold {place}: "
                        f"say it by environmentRef: {place}"
                    )


class ConfigurationRevisionSpec(Model):
    """The content that a configuration group had."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a ConfigurationRevision never changes: it is named by its content"),
    )

    group_ref: Name
    """The ConfigurationGroup."""
    content: Fragment = Field(default_factory=dict)
    """The part of its spec that decides what components get. Empty = it had no keys."""


class ConfigurationRevisionStatus(Status):
    """What is known of a revision."""


class ConfigurationRevision(Resource):
    """What a configuration group once said; components keep the revision they were given."""

    kind: ClassVar[str] = "ConfigurationRevision"
    plural: ClassVar[str] = "configurationrevisions"
    short_names: ClassVar[tuple[str, ...]] = ("configrev", "configrevs")
    written_by: ClassVar[WrittenBy] = "platform"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Group", ".spec.groupRef", "The configuration group"),
        *READY_COLUMNS,
    )

    spec: ConfigurationRevisionSpec
    status: ConfigurationRevisionStatus = ConfigurationRevisionStatus()

    def of(self, group: ConfigurationGroup) -> ConfigurationGroup:
        """Returns a group with the content it had in this revision."""
        given = {**self.spec.content, "projectRef": group.spec.project_ref}
        spec = ConfigurationGroupSpec.model_validate(given, by_alias=True, by_name=False)
        return group.model_copy(update={"spec": spec})


def configuration_revision(group: ConfigurationGroup) -> ConfigurationRevision:
    """Returns the revision of the present content of a group."""
    return ConfigurationRevision(
        metadata=Metadata(name=group.revision, namespace=group.namespace),
        spec=ConfigurationRevisionSpec(group_ref=group.name, content=group.spec.content),
    )

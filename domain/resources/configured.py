"""Parts of configuration: who uses which, what differs in one environment, how it is released."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from domain.phases import Phase
from domain.resources.model import Model, Rule
from domain.resources.types import Name, NameOrEmpty

KEY_PATTERN = r"^[A-Za-z0-9._-]+$"
VaultPath = Annotated[str, Field(max_length=512, pattern=r"^[A-Za-z0-9_./-]*$")]
GroupRefs = Annotated[
    tuple[Name, ...], Field(max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"})
]
"""Names of ConfigurationGroups; of equal keys the later group's counts."""

PLAIN_OR_VAULT = Rule(
    "!(has(self.value) && self.value != '' && has(self.vaultKey) && self.vaultKey != '')",
    "a value is written down or kept in Vault, not both",
    lambda value: not (value.value and value.vault_key),
)


class ConfigurationOverride(Model):
    """The value of a key in this environment, whatever the groups say."""

    rules: ClassVar[tuple[Rule, ...]] = (PLAIN_OR_VAULT,)

    key: str = Field(min_length=1, max_length=253, pattern=KEY_PATTERN)
    """The key."""
    value: str = Field("", max_length=8192)
    """The value, for all to read. Empty = nothing, or see vaultKey."""
    vault_key: VaultPath = ""
    """Path in Vault or OpenBao where the value is kept. Empty = see value."""


class GivenRevision(Model):
    """The revision of a configuration group that something was made with."""

    group_ref: Name
    """The ConfigurationGroup."""
    revision_ref: Name
    """The ConfigurationRevision."""


class ConfigurationRollout(Model):
    """How a change comes to components: one environment after the other, production last."""

    max_at_once: int = Field(4, ge=1, le=50)
    """How many bindings of an environment are deployed at the same time."""
    max_failures: int = Field(0, ge=0, le=1000)
    """How many deployments may fail before the release stops. What was brought stays so; what
    failed runs what ran before."""


class ReleasedConfiguration(Model):
    """One release of a group."""

    number: int = Field(ge=1)
    """Counts the releases of the group."""
    revision: NameOrEmpty = ""
    """ConfigurationRevision that was brought to components."""
    phase: Phase
    """Where it stands, or how it ended."""
    message: str = Field("", max_length=4096)
    """More about it, for people."""
    by: str = Field("", max_length=256)
    """Who asked for it, or what."""
    run: str = Field("", max_length=64)
    """Run of the operation."""
    started: AwareDatetime
    """When it began."""
    finished: AwareDatetime | None = None
    """When it ended. Absent = it has not."""
    deployed: int = Field(0, ge=0)
    """Bindings that were deployed with it."""
    failed: int = Field(0, ge=0)
    """Bindings whose deployment failed."""
    left: int = Field(0, ge=0)
    """Bindings that are touched and were left as they are."""

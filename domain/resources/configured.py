"""Which configuration something uses, and what of it differs in one environment."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import Name

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

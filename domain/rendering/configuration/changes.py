"""What differs between two configurations: by key, never what is kept in Vault."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from domain.rendering.configuration.effective import ConfigurationEntry, EffectiveConfiguration

_SHOWN = 200


class KeyChange(BaseModel):
    """One key that is different."""

    model_config = ConfigDict(frozen=True)

    key: str
    before: str = ""
    """Empty = it was not there, or empty."""
    after: str = ""


def configuration_changes(
    before: EffectiveConfiguration, after: EffectiveConfiguration
) -> tuple[KeyChange, ...]:
    """Returns the keys whose value or place in the pod differs, by key; empty when none does.

    From which group a value comes does not matter.
    """
    earlier, later = _by_key(before), _by_key(after)
    return tuple(
        KeyChange(key=key, before=_said(earlier.get(key)), after=_said(later.get(key)))
        for key in sorted({*earlier, *later})
        if _decisive(earlier.get(key)) != _decisive(later.get(key))
    )


def _by_key(configuration: EffectiveConfiguration) -> Mapping[str, ConfigurationEntry]:
    return {one.key: one for one in configuration.entries}


def _decisive(one: ConfigurationEntry | None) -> tuple[str, ...] | None:
    return (one.value, one.vault_key, one.env, one.file) if one else None


def _said(one: ConfigurationEntry | None) -> str:
    """Returns a value for people: cut, one of Vault by its path."""
    if one is None:
        return ""
    text = f"vault:{one.vault_key}" if one.vault_key else one.value
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"

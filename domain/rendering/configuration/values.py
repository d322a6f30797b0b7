"""The value that a group gives a key in one environment, and texts made of other keys."""

from __future__ import annotations

import re
from collections.abc import Callable

from domain.resources.configuration import (
    NON_PRODUCTION_GROUP,
    PRODUCTION_GROUP,
    Configuration,
    ConfigurationGroup,
    ConfigurationValue,
)
from domain.resources.environment import Environment

_REFERENCE = re.compile(r"\$(?P<escaped>\$)?\{(?P<key>[A-Za-z0-9._-]+)\}")


def chosen(
    group: ConfigurationGroup, one: Configuration, environment: Environment
) -> tuple[ConfigurationValue, str] | None:
    """Returns the value of a key in an environment and what it was said for.

    A value for the environment itself goes before one for a group of environments that the
    configuration group names, and that before one for production or non-production.
    """
    own = {
        each.name for each in group.spec.environment_groups if environment.name in each.environments
    }
    always = PRODUCTION_GROUP if environment.spec.is_production else NON_PRODUCTION_GROUP
    for value in one.values:
        if value.environment_ref == environment.name:
            return value, f"environment {environment.name}"
    # A group of its own may be called `production`; its members are then as it says.
    declared = {each.name for each in group.spec.environment_groups}
    for value in one.values:
        if value.environment_group_ref in own:
            return value, f"environment group {value.environment_group_ref}"
    for value in one.values:
        if value.environment_group_ref == always and always not in declared:
            return value, f"environment group {always}"
    return None


def references(text: str) -> tuple[str, ...]:
    """Returns the keys that a value refers to as ``${key}``, in order."""
    return tuple(one["key"] for one in _REFERENCE.finditer(text) if not one["escaped"])


def replaced(text: str, value_of: Callable[[str], str]) -> str:
    """Returns the text with each ``${key}`` replaced; ``$${key}`` becomes ``${key}`` itself."""
    return _REFERENCE.sub(lambda one: one[0][1:] if one["escaped"] else value_of(one["key"]), text)

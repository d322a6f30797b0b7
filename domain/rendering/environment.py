"""The environment variables of a container.

They stand in the pod template itself and not in a ConfigMap beside it: a change of them is a new
template, so it rolls pods and is undone together with the image, and a pod of the older release
that restarts during a rollout still finds its own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.connections import address_variables
from domain.rendering.facts import ReleaseFacts
from domain.resources.types import EnvVar

RESERVED_PREFIX = "PAVANE_"


def environment(
    facts: ReleaseFacts, template: Mapping[str, Any], declared: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the class's variables, then addresses, then those declared, then the platform's.

    Addresses are those of what the component calls. Of equal names the later one counts.

    Raises:
        InvalidRequest: A variable has a name that the platform sets.
    """
    variables: dict[str, dict[str, Any]] = {
        str(each["name"]): dict(each) for each in template.get("env") or ()
    }
    for name, value in sorted(address_variables(facts).items()):
        variables[name] = {"name": name, "value": value}
    variables |= {str(each["name"]): dict(each) for each in declared}
    reserved = sorted(name for name in variables if name.startswith(RESERVED_PREFIX))
    if reserved:
        raise InvalidRequest(
            f"the variable {reserved[0]} of {facts.component.name} in {facts.environment.name} "
            f"cannot be set: names that begin with {RESERVED_PREFIX} are the platform's"
        )
    for name, value in sorted(_identity(facts).items()):
        variables[name] = {"name": name, "value": value}
    return list(variables.values())


def written(variables: Iterable[EnvVar]) -> list[dict[str, Any]]:
    """Returns declared variables as a container has them."""
    return [{"name": each.name, "value": each.value} for each in variables]


def _identity(facts: ReleaseFacts) -> dict[str, str]:
    """Returns what a process may want to know about itself."""
    told = {
        "PAVANE_ORGANIZATION": facts.organization,
        "PAVANE_PROJECT": facts.project,
        "PAVANE_COMPONENT": facts.component.name,
        "PAVANE_ENVIRONMENT": facts.environment.name,
    }
    if facts.artifact is not None and facts.artifact.spec.commit:
        told["PAVANE_COMMIT"] = facts.artifact.spec.commit
    return told

"""What containers compute with: class, workload and binding, defaults, and the class's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.merge import merged
from domain.rendering.quantities import amount
from domain.resources.types import ResourceNeeds

_DEFAULT_REQUESTS = {"cpu": "50m", "memory": "64Mi"}
_DEFAULT_LIMITS = {"memory": "256Mi"}


def with_defaults(template: Mapping[str, Any], *needs: ResourceNeeds) -> dict[str, Any]:
    """Returns requests and limits, later needs over earlier ones over the class.

    Every container gets requests, so that it is scheduled honestly, and a limit of memory, so that
    it cannot take a node down. A default never contradicts what was asked for. Processor time has
    no default limit: throttling makes healthy services slow.
    """
    asked = dict(template.get("resources") or {})
    for each in needs:
        asked = merged(asked, each.model_dump(mode="json", by_alias=True))
    requests = dict(asked.get("requests") or {})
    limits = dict(asked.get("limits") or {})
    for name, default in _DEFAULT_REQUESTS.items():
        requests.setdefault(name, min(default, limits.get(name, default), key=_size))
    for name, default in _DEFAULT_LIMITS.items():
        limits.setdefault(name, max(default, requests[name], key=_size))
    return {**asked, "requests": requests, "limits": limits}


def checked(facts: ReleaseFacts, container: dict[str, Any]) -> dict[str, Any]:
    """Returns the container if its needs agree with themselves and with the class's bounds.

    Raises:
        InvalidRequest: They do not; the message names the field and the bound.
    """
    rails = facts.component_class.spec.guard_rails
    subject = f"container {container['name']} of {facts.component.name} in {facts.environment.name}"
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    for name, bound in (("cpu", rails.max_cpu), ("memory", rails.max_memory)):
        for part, amounts in (("requests", requests), ("limits", limits)):
            if bound and name in amounts and _size(amounts[name]) > _size(bound):
                raise InvalidRequest(
                    f"{subject}: resources.{part}.{name} {amounts[name]} is more than the {bound} "
                    f"that {facts.class_said} allows"
                )
        if name in limits and _size(requests[name]) > _size(limits[name]):
            raise InvalidRequest(
                f"{subject}: resources.requests.{name} {requests[name]} is more than the limit "
                f"{limits[name]}"
            )
    return container


def _size(quantity: str) -> Any:
    return amount(quantity, "resources")

"""The containers of a component's pods: class, workload and binding laid over safe defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.configuration.rendered import variables
from domain.rendering.environment import environment, written
from domain.rendering.facts import ReleaseFacts
from domain.rendering.merge import merged
from domain.rendering.needs import checked, with_defaults
from domain.rendering.probes import own_probes
from domain.resources.workload import MAIN_CONTAINER, Container

_DEFAULTS: dict[str, Any] = {
    "imagePullPolicy": "IfNotPresent",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
    "terminationMessagePolicy": "FallbackToLogsOnError",
}
# Requests still come in for a moment after a pod is told to stop, until the gateway knows.
_DRAIN = {"preStop": {"sleep": {"seconds": 5}}}


def rendered_containers(
    facts: ReleaseFacts, template: Iterable[Mapping[str, Any]], deadline_seconds: int
) -> list[dict[str, Any]]:
    """Returns the containers, the component's own first.

    Args:
        facts: The release.
        template: Containers of the class; the one named ``main`` is for the component's own.
        deadline_seconds: How long the component may take until it answers for the first time.

    Raises:
        InvalidRequest: An image is missing, a bound of the class is passed or a name is reserved.
    """
    own = facts.workload.main
    by_name = {str(each["name"]): dict(each) for each in template}
    if MAIN_CONTAINER in by_name:
        by_name[own.name] = by_name.pop(MAIN_CONTAINER)
    rendered = [_own_container(facts, own, by_name.pop(own.name, {}), deadline_seconds)]
    rendered += [
        _container(facts, each, by_name.pop(each.name, {}))
        for each in facts.workload.spec.containers
        if each.name != own.name
    ]
    rendered += [
        merged(_DEFAULTS, extra) | {"resources": with_defaults(extra)} for extra in by_name.values()
    ]
    return [checked(facts, container) for container in rendered]


def _own_container(
    facts: ReleaseFacts, own: Container, template: Mapping[str, Any], deadline_seconds: int
) -> dict[str, Any]:
    overrides = facts.binding.spec.workload
    container = _container(facts, own, template)
    container["env"] = environment(
        facts, template, (*written(own.env), *variables(facts), *written(overrides.env))
    )
    container["resources"] = with_defaults(template, own.resources, overrides.resources)
    container |= own_probes(facts, template, deadline_seconds)
    if facts.endpoints:
        container["ports"] = [
            {"name": each.name, "containerPort": each.port, "protocol": each.type.transport}
            for each in facts.endpoints
        ]
        container.setdefault("lifecycle", _DRAIN)
    return container


def _container(
    facts: ReleaseFacts, container: Container, template: Mapping[str, Any]
) -> dict[str, Any]:
    rendered = merged(_DEFAULTS, template)
    rendered |= {
        "name": container.name,
        "image": _image(facts, container),
        "env": environment(facts, template, written(container.env)),
        "resources": with_defaults(template, container.resources),
    }
    if container.command:
        rendered["command"] = list(container.command)
    if container.args:
        rendered["args"] = list(container.args)
    return rendered


def _image(facts: ReleaseFacts, container: Container) -> str:
    if container.image:
        return container.image
    if facts.artifact is None:
        raise InvalidRequest(
            f"Workload {facts.workload.name}: container {container.name} names no image and "
            f"{facts.binding.kind} {facts.binding.name} has no artifact"
        )
    return facts.artifact.spec.image

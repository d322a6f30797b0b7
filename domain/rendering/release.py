"""Renders a release: the exact objects of one component in one environment."""

from __future__ import annotations

from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering import network, routes, workload
from domain.rendering.facts import ReleaseFacts, RenderedRelease
from domain.rendering.labels import in_order
from domain.resources.binding import BindingState
from domain.resources.classes import ServiceClass


def render_release(facts: ReleaseFacts) -> RenderedRelease:
    """Returns the objects in the order in which they are applied.

    The order is namespace, policy, identity, service, workload, route. Equal facts give byte-equal
    objects and the same name. A suspended binding keeps its objects with no replicas; one that is
    to be undeployed has none, so that everything it had is pruned.

    Raises:
        InvalidRequest: The facts contradict each other or pass a bound; the message names the
            resource and the field.
    """
    _check_belonging(facts)
    if not isinstance(facts.component_class, ServiceClass):
        message = f"{facts.binding.kind} {facts.binding.name}: not rendered yet"
        raise InvalidRequest(message, facts={"reason": "NotImplemented"})
    objects = () if facts.state is BindingState.UNDEPLOY else in_order(_objects(facts))
    place = f"{facts.component.name}-{facts.environment.name}"
    rendered = RenderedRelease(
        name=ids.content_name(place, [facts.namespace, *objects]),
        hash=ids.content_hash(objects),
        namespace=facts.namespace,
        objects=objects,
    )
    if not objects:
        return rendered
    live = workload.deployment(facts)["spec"]
    return rendered.model_copy(
        update={
            "image": live["template"]["spec"]["containers"][0]["image"],
            "url": routes.url(facts),
            "replicas": live["replicas"],
            "progress_deadline_seconds": live["progressDeadlineSeconds"],
        }
    )


def _objects(facts: ReleaseFacts) -> list[dict[str, Any]]:
    wanted = (
        network.namespace(facts),
        network.default_deny(facts),
        network.component_policy(facts),
        workload.service_account(facts),
        routes.service(facts),
        workload.deployment(facts),
        workload.disruption_budget(facts),
        routes.route(facts),
    )
    return [each for each in wanted if each is not None]


def _check_belonging(facts: ReleaseFacts) -> None:
    """Refuses facts that are not about the same component, so that none ends in another's place."""
    component = facts.component.name
    environment = facts.environment.name
    parts: dict[str, tuple[str, str]] = {
        f"{facts.binding.kind} {facts.binding.name}": (facts.binding.component, component),
        f"Workload {facts.workload.name}": (facts.workload.component, component),
    }
    if facts.artifact is not None:
        artifact = facts.artifact
        parts[f"DeployableArtifact {artifact.name}"] = (artifact.spec.component_ref, component)
    for subject, (is_of, should_be) in parts.items():
        if is_of != should_be:
            raise InvalidRequest(f"{subject} is of component {is_of or 'none'}, not {should_be}")
    if facts.binding.environment != environment:
        raise InvalidRequest(
            f"{facts.binding.kind} {facts.binding.name} is for environment "
            f"{facts.binding.environment}, not {environment}"
        )

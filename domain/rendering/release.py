"""Renders a release: the exact objects of one component in one environment."""

from __future__ import annotations

from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering import (
    extras,
    files,
    network,
    routing,
    scaling,
    static,
    tasks,
    templates,
    workload,
)
from domain.rendering.configuration import live
from domain.rendering.facts import ReleaseFacts, RenderedRelease
from domain.rendering.labels import in_order
from domain.resources.binding import BindingState


def render_release(facts: ReleaseFacts) -> RenderedRelease:
    """Returns the objects in the order in which they are applied.

    The order is namespace, policy, identity, files, objects of the class, service, workload, route.
    Equal facts give byte-equal objects and the same name. A suspended binding keeps its objects
    with no replicas, a suspended task its timetable without runs; one that is
    to be undeployed has none, so that everything it had is pruned.

    Raises:
        InvalidRequest: The facts contradict each other or pass a bound; the message names the
            resource and the field.
    """
    _check_belonging(facts)
    facts = static.adapted(templates.filled(facts))
    objects = () if facts.state is BindingState.UNDEPLOY else in_order(_objects(facts))
    place = f"{facts.component.name}-{facts.environment.name}"
    rendered = RenderedRelease(
        name=ids.content_name(place, [facts.namespace, *objects]),
        hash=ids.content_hash(objects),
        namespace=facts.namespace,
        objects=objects,
        health=(
            *facts.component_class.spec.health,
            *network.policy_health(facts),
            *routing.certificate_health(facts),
            *routing.extension_health(facts),
        ),
        notes=(*network.notes(facts), *routing.notes(facts)) if objects else (),
    )
    if not objects:
        return rendered
    workload_object = next(one for one in objects if one["kind"] in _POD_PATHS)
    told = _running(facts, workload_object) if not facts.is_task else {}
    return rendered.model_copy(update={"image": _image(facts, workload_object), **told})


_POD_PATHS = {
    "Deployment": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


def _image(facts: ReleaseFacts, live: dict[str, Any]) -> str:
    if facts.files_image:
        return facts.files_image
    pod: Any = live
    for step in _POD_PATHS[live["kind"]]:
        pod = pod[step]
    return str(pod["containers"][0]["image"])


def _running(facts: ReleaseFacts, live: dict[str, Any]) -> dict[str, Any]:
    return {
        "url": routing.url(facts),
        "endpoints": routing.addresses(facts),
        "replicas": workload.replicas(facts),
        "progress_deadline_seconds": live["spec"]["progressDeadlineSeconds"],
    }


def _objects(facts: ReleaseFacts) -> list[dict[str, Any]]:
    shared = (
        network.namespace(facts),
        network.default_deny(facts),
        network.component_policy(facts),
        workload.service_account(facts),
        files.config_map(facts),
        live.live_config_map(facts),
        *extras.class_objects(facts),
    )
    own = (tasks.cron_job(facts),) if facts.is_task else _always_running(facts)
    return [each for each in (*shared, *own) if each is not None]


def _always_running(facts: ReleaseFacts) -> tuple[dict[str, Any] | None, ...]:
    return (
        routing.service(facts),
        workload.deployment(facts),
        workload.disruption_budget(facts),
        scaling.autoscaler(facts),
        *routing.certificates(facts),
        *routing.routes(facts),
    )


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

"""Facts to render from: one public service, and changes to it by dotted path."""

from __future__ import annotations

from typing import Any, TypeVar

from domain.deliveries import BuildPlan
from domain.rendering import ReleaseFacts, RenderedRelease, render_release
from domain.resources.base import Resource
from domain.resources.binding import ServiceBinding
from domain.resources.build import DeployableArtifact
from domain.resources.classes import ServiceClass
from domain.resources.component import Component, ComponentType
from domain.resources.environment import Environment
from domain.resources.families import FAMILIES
from domain.resources.planes import DataPlane
from domain.resources.workload import Workload

COMMIT = "c" * 40
IMAGE = f"registry:5000/acme/shop/web@sha256:{'a' * 64}"

R = TypeVar("R", bound=Resource)


def resource(kind: type[R], name: str, spec: dict[str, Any]) -> R:
    return kind.model_validate({"metadata": {"name": name, "namespace": "acme"}, "spec": spec})


def facts(
    *,
    name: str = "web",
    template: dict[str, Any] | None = None,
    service_class: dict[str, Any] | None = None,
    workload: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    overrides: dict[str, Any] | None = None,
    binding: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    plane: dict[str, Any] | None = None,
    artifact: dict[str, Any] | None = None,
    **changes: Any,
) -> ReleaseFacts:
    """Returns facts; each argument is laid over the example's own spec of that resource."""
    own: dict[str, Any] = {
        "componentRef": name,
        "containers": [{"name": "main", **(container or {})}],
        "endpoints": [{"name": "http", "port": 8080, "visibility": "public"}],
    }
    bound = {"componentRef": name, "environmentRef": "development", "workload": overrides or {}}
    built = {"componentRef": name, "image": IMAGE, "commit": COMMIT}
    given: dict[str, Any] = {
        "component": resource(Component, name, {"componentOwner": {"projectRef": "shop"}}),
        "environment": resource(
            Environment,
            "development",
            {"dataPlaneRef": "local", "gateway": {"dnsPrefix": "dev"}} | (environment or {}),
        ),
        "data_plane": resource(DataPlane, "local", plane or {}),
        "component_class": resource(
            ServiceClass,
            "standard-service",
            {"deploymentTemplate": template or {}} | (service_class or {}),
        ),
        "workload": resource(Workload, name, own | (workload or {})),
        "binding": resource(ServiceBinding, "web-development", bound | (binding or {})),
        "artifact": resource(DeployableArtifact, "web-1", built | (artifact or {})),
    }
    return ReleaseFacts(**(given | changes))


def of_type(component_type: str, **changes: Any) -> ReleaseFacts:
    """Returns facts of a component of another type than Service.

    Arguments are laid over the specs of component, class, instance, workload and binding.
    """
    family = FAMILIES[ComponentType(component_type)]
    name = changes.pop("name", "web")
    owned = {"componentOwner": {"projectRef": "shop"}, "componentType": component_type}
    bound = {"componentRef": name, "environmentRef": "development"}
    parts = {
        "component": resource(Component, name, owned | changes.pop("component", {})),
        "component_class": resource(
            family.component_class, "standard", changes.pop("component_class", {})
        ),
        "instance": resource(
            family.instance, name, {"componentRef": name} | changes.pop("instance", {})
        ),
        "binding": resource(
            family.binding, f"{name}-development", bound | changes.pop("binding", {})
        ),
    }
    return facts(name=name, **changes).model_copy(update=parts)


def rendered(**changes: Any) -> RenderedRelease:
    return render_release(facts(**changes))


def one(release: RenderedRelease, kind: str, name: str = "web") -> dict[str, Any]:
    """Returns the only object of that kind and name."""
    (found,) = (
        each
        for each in release.objects
        if each["kind"] == kind and each["metadata"]["name"] == name
    )
    return found


def main_container(release: RenderedRelease) -> dict[str, Any]:
    container: dict[str, Any] = one(release, "Deployment")["spec"]["template"]["spec"][
        "containers"
    ][0]
    return container


def main_with(**changes: Any) -> dict[str, Any]:
    """Returns a class's template that changes the component's own container."""
    return {"template": {"spec": {"containers": [{"name": "main", **changes}]}}}


def plan(**changes: Any) -> BuildPlan:
    given: dict[str, Any] = {
        "organization": "acme",
        "project": "shop",
        "component": "web",
        "name": "web-cccccccccccc",
        "repository": "https://git.example.org/acme/web.git",
        "commit": COMMIT,
        "image": "registry:5000/acme/shop/web",
        "task_queue": "plane.local",
    }
    return BuildPlan(**(given | changes))

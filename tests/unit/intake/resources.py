"""An organization that has everything, as API servers hand it out."""

from __future__ import annotations

from typing import Any

from domain.resources import Resource, parse
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from intake.world import World

ORG = "acme"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def resource(
    kind: str,
    name: str,
    spec: dict[str, Any] | None = None,
    *,
    generation: int = 1,
    status: dict[str, Any] | None = None,
    **metadata: Any,
) -> Resource:
    meta = {"name": name, "uid": f"uid-{kind}-{name}", "generation": generation}
    if kind != "Organization":
        meta["namespace"] = ORG
    content = {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": kind,
        "metadata": meta | metadata,
        "spec": spec or {},
    }
    return parse(content | ({"status": status} if status else {}))


def held_up(generation: int = 1) -> dict[str, Any]:
    """The status of something that was looked at while a reference was missing."""
    return told("False", "ReferenceMissing", generation, "waiting for something")


def told(status: str, reason: str, generation: int = 1, message: str = "") -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {"observedGeneration": generation, "conditions": [condition]}


def organization() -> Resource:
    return resource("Organization", ORG)


def build_plane() -> Resource:
    return resource("BuildPlane", "local")


def environment() -> Resource:
    return resource("Environment", "dev", {"dataPlaneRef": "local"})


def component(*, built: str = "", **more: Any) -> Resource:
    spec = {
        "componentOwner": {"projectRef": "shop"},
        "buildSpecInComponent": {"repository": "https://git.example.com/web.git"},
    } | more
    status = {"latestBuild": built} if built else None
    return resource("Component", "web", spec, status=status)


def binding(*, generation: int = 1, status: dict[str, Any] | None = None, **more: Any) -> Resource:
    spec = {"environmentRef": "dev", "componentRef": "web", "artifactRef": "web-1"} | more
    return resource("ServiceBinding", "web-dev", spec, generation=generation, status=status)


def build(name: str = "try", *, status: dict[str, Any] | None = None, **revision: str) -> Resource:
    spec: dict[str, Any] = {"componentRef": "web"}
    if revision:
        spec["revision"] = revision
    return resource("Build", name, spec, status=status)


def everything() -> list[Resource]:
    path = {"sourceEnvironmentRef": "dev"}
    return [
        organization(),
        build_plane(),
        resource("DataPlane", "local"),
        environment(),
        resource("DeploymentPipeline", "default", {"promotionPaths": [path]}),
        resource("ServiceClass", DEFAULT_SERVICE_CLASS),
        resource("Project", "shop", {"deploymentPipelineRef": "default"}),
        component(),
        resource("Workload", "web", {"componentRef": "web"}),
        resource(
            "DeployableArtifact",
            "web-1",
            {"componentRef": "web", "image": f"registry/web@sha256:{'a' * 64}"},
        ),
    ]


def world(*more: Resource, without: str = "") -> World:
    """Everything but one kind, and more."""
    made = World()
    for one in [*everything(), *more]:
        if one.kind != without:
            made.put(one)
    return made

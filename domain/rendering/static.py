"""Static web applications: the image holds files, and the server of the class hands them out.

An init container copies the files from the image into a volume that the server reads. So a static
application needs no server of its own, and a fix of the server is a new revision of the class.
"""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.resources.classes import StaticServer, WebApplicationClassSpec
from domain.resources.instances import WebApplication, WebApplicationMode
from domain.resources.workload import WorkloadEndpoint

SERVED = "/srv/www"
_VOLUME = "pavane-site"
_NEEDS = {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}


def adapted(facts: ReleaseFacts) -> ReleaseFacts:
    """Returns the facts with the class's server as the own container of a static application.

    Raises:
        InvalidRequest: The class serves no static applications, or the workload says what only a
            server of its own could do.
    """
    if not is_static(facts):
        return facts
    server = _server(facts)
    if not server.image:
        raise InvalidRequest(
            f"{facts.class_said}: spec.staticServer.image is empty, so {facts.component.name} "
            "cannot be Static"
        )
    declared = facts.workload.spec.endpoints or (
        WorkloadEndpoint(name="http", port=server.port, visibility="public"),
    )
    if len(declared) > 1:
        raise InvalidRequest(
            f"Workload {facts.workload.name}: a static application has one endpoint at most"
        )
    own = facts.workload.main.model_copy(
        update={"image": server.image, "command": server.command, "args": ()}
    )
    spec = facts.workload.spec
    containers = tuple(own if one.name == own.name else one for one in spec.containers)
    endpoint = declared[0].model_copy(update={"port": server.port})
    changed = spec.model_copy(update={"containers": containers, "endpoints": (endpoint,)})
    workload = facts.workload.model_copy(update={"spec": changed})
    return facts.model_copy(update={"workload": workload, "files_image": _image(facts)})


def serve(facts: ReleaseFacts, spec: dict[str, Any]) -> None:
    """Adds to the spec of a static application's pod what brings the files to the server."""
    if not is_static(facts) or not isinstance(facts.instance, WebApplication):
        return
    own = spec["containers"][0]
    copy = {
        "name": "pavane-site",
        "image": facts.files_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["cp", "-R", f"{facts.instance.spec.static_root}/.", SERVED],
        "resources": _NEEDS,
        "securityContext": own["securityContext"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": _VOLUME, "mountPath": SERVED}],
    }
    spec["initContainers"] = [copy, *(spec.get("initContainers") or ())]
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": _VOLUME, "emptyDir": {}}]
    mounted = {"name": _VOLUME, "mountPath": SERVED, "readOnly": True}
    own["volumeMounts"] = [*(own.get("volumeMounts") or ()), mounted]


def is_static(facts: ReleaseFacts) -> bool:
    """Tells whether the image holds files only."""
    instance = facts.instance
    return isinstance(instance, WebApplication) and instance.spec.mode is WebApplicationMode.STATIC


def _server(facts: ReleaseFacts) -> StaticServer:
    spec = facts.component_class.spec
    return spec.static_server if isinstance(spec, WebApplicationClassSpec) else StaticServer()


def _image(facts: ReleaseFacts) -> str:
    image = facts.workload.main.image or (facts.artifact.spec.image if facts.artifact else "")
    if not image:
        raise InvalidRequest(
            f"Workload {facts.workload.name}: container {facts.workload.main.name} names no image "
            f"and {facts.binding.kind} {facts.binding.name} has no artifact"
        )
    return image

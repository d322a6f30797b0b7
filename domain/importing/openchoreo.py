"""Resources of ``openchoreo.dev/v1alpha1``, as ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain import ids
from domain.importing.containers import container
from domain.importing.reading import Imported, Lost, Reader, resource

FOREIGN = "openchoreo.dev/v1alpha1"
_WIDEST = ("public", "organization", "project")
_VISIBLE = {
    "project": "project",
    "namespace": "organization",
    "internal": "organization",
    "organization": "organization",
    "external": "public",
    "public": "public",
}
_SPOKEN = {"grpc": "gRPC", "tcp": "TCP", "udp": ""}
_OF_TYPE = (
    ("web", "WebApplication"),
    ("scheduled", "ScheduledTask"),
    ("cron", "ScheduledTask"),
    ("api", "API"),
)
_REPOSITORY = (
    "spec.workflow.parameters.systemParameters.repository",
    "spec.workflow.systemParameters.repository",
    "spec.workflow.parameters.repository",
    "spec.build.repository",
)
Made = tuple[dict[str, Any], list[Lost]]


def from_openchoreo(documents: Sequence[Mapping[str, Any]], organization: str) -> Imported:
    """Returns our resources and everything that has no counterpart."""
    readers = [Reader(one) for one in documents]
    types = {one.name: _type_of(one) for one in readers if one.kind == "Component"}
    makers: dict[str, Callable[[Reader, str], Made]] = {
        "Project": _project,
        "Environment": _environment,
        "DeploymentPipeline": _pipeline,
        "Component": _component,
        "Workload": _workload,
        "ComponentType": _class,
        "ReleaseBinding": lambda reader, where: _binding(reader, where, types),
    }
    made, lost = [], list[Lost]()
    for reader in readers:
        make = makers.get(reader.kind)
        if make is None:
            lost.append(reader.lost("", f"kind {reader.kind} has no counterpart"))
            continue
        ours, unread = make(reader, organization)
        made.append(ours)
        lost += [*unread, *reader.left()]
    return Imported(resources=tuple(made), lost=tuple(lost))


def _project(reader: Reader, where: str) -> Made:
    pipeline = reader.name_at("spec.deploymentPipelineRef") or "default"
    return resource("Project", reader.name, where, {"deploymentPipelineRef": pipeline}), []


def _environment(reader: Reader, where: str) -> Made:
    spec = {
        "dataPlaneRef": reader.name_at("spec.dataPlaneRef") or "default",
        "isProduction": reader.take("spec.isProduction"),
    }
    return resource("Environment", reader.name, where, spec), []


def _pipeline(reader: Reader, where: str) -> Made:
    paths, lost = [], list[Lost]()
    for number, path in enumerate(reader.take("spec.promotionPaths", default=[])):
        targets = []
        for target in path.get("targetEnvironmentRefs") or ():
            name = _named(target)
            targets.append({"name": name})
            asks = isinstance(target, Mapping) and any(
                target.get(key) for key in ("requiresApproval", "isManualApprovalRequired")
            )
            if asks:
                field = f"spec.promotionPaths[{number}].{name}.requiresApproval"
                lost.append(reader.lost(field, "say who: write `approval` into the target"))
        source = _named(path.get("sourceEnvironmentRef"))
        paths.append({"sourceEnvironmentRef": source, "targetEnvironmentRefs": targets})
    return resource("DeploymentPipeline", reader.name, where, {"promotionPaths": paths}), lost


def _component(reader: Reader, where: str) -> Made:
    reader.take("spec.componentType", "spec.type")
    repository = reader.take(*_REPOSITORY, default={})
    reader.take("spec.workflow.name")
    revision = repository.get("revision") or {}
    build = {
        "repository": repository.get("url", ""),
        "branch": revision.get("branch") or "main",
        "context": str(repository.get("appPath") or ".").strip("/") or ".",
    }
    spec = {
        "componentOwner": {"projectRef": reader.take("spec.owner.projectName", default="default")},
        "componentType": _type_of(reader),
        "autoDeploy": reader.take("spec.autoDeploy"),
        "autoBuild": reader.take("spec.autoBuild"),
        "buildSpecInComponent": build if build["repository"] else None,
    }
    lost = []
    if revision.get("commit"):
        lost.append(reader.lost("repository.revision.commit", "build it: pavane build --revision"))
    return resource("Component", reader.name, where, spec), lost


def _workload(reader: Reader, where: str) -> Made:
    reader.take("spec.owner.projectName")
    component = reader.take("spec.owner.componentName", default=reader.name)
    single = reader.take("spec.container")
    many = {"main": single} if single else reader.take("spec.containers", default={})
    containers, lost = [], list[Lost]()
    for name, given in many.items():
        path = "spec.container" if single else f"spec.containers.{name}"
        made, unread = container(reader, path, given, name)
        containers.append(made)
        lost += unread
    endpoints, unread = _endpoints(reader)
    lost += unread
    spec = {"componentRef": component, "containers": containers, "endpoints": endpoints}
    return resource("Workload", reader.name, where, spec), lost


def _endpoints(reader: Reader) -> tuple[list[dict[str, Any]], list[Lost]]:
    endpoints, lost = [], list[Lost]()
    for name, given in reader.take("spec.endpoints", default={}).items():
        spoken = _SPOKEN.get(str(given.get("type", "HTTP")).lower(), "HTTP")
        if not spoken:
            lost.append(reader.lost(f"spec.endpoints.{name}", "UDP is not routed"))
            continue
        endpoint = {
            "name": str(name)[:15].rstrip("-"),
            "port": given.get("port"),
            "type": spoken,
            "visibility": _visibility(given.get("visibility")),
            "basePath": given.get("basePath") or "/",
        }
        endpoints.append(endpoint)
        lost += [
            reader.lost(f"spec.endpoints.{name}.{key}", "has no counterpart")
            for key in given
            if key not in {"port", "type", "visibility", "basePath"}
        ]
    return endpoints, lost


def _class(reader: Reader, where: str) -> Made:
    kind = {"cronjob": "ScheduledTaskClass"}.get(
        str(reader.take("spec.workloadType", default="deployment")), "ServiceClass"
    )
    made = resource(kind, reader.name, where, {})
    return made, [reader.lost("", f"became a {kind} with our defaults: look at its templates")]


def _binding(reader: Reader, where: str, types: Mapping[str, str]) -> Made:
    reader.take("spec.owner.projectName")
    component = str(reader.take("spec.owner.componentName", default=""))
    environment = str(reader.take("spec.environment", "spec.environmentName", default=""))
    spec: dict[str, Any] = {"componentRef": component, "environmentRef": environment}
    if reader.take("spec.state") == "Undeploy":
        spec["state"] = "Undeploy"
    lost = []
    if release := reader.take("spec.releaseName"):
        why = f"{release} is not known here: deploy an artifact, then the binding names it"
        lost.append(reader.lost("spec.releaseName", why))
    kind = f"{types.get(component, 'Service')}Binding"
    return resource(kind, ids.binding_name(component, environment), where, spec), lost


def _type_of(reader: Reader) -> str:
    written = reader.name_at("spec.componentType", "spec.type").lower().rpartition("/")[2]
    return next((ours for word, ours in _OF_TYPE if word in written), "Service")


def _visibility(given: Any) -> str:
    written = [given] if isinstance(given, str) else list(given or ())
    found = {_VISIBLE.get(str(one), "project") for one in written}
    return next((one for one in _WIDEST if one in found), "project")


def _named(reference: Any) -> str:
    return str(reference.get("name", "") if isinstance(reference, Mapping) else reference or "")

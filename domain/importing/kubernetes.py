"""Plain Deployments and Services, as components with their workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.importing.containers import container
from domain.importing.reading import Imported, Lost, Reader, resource
from domain.resources.workload import MAIN_CONTAINER

_POD = "spec.template.spec"


def from_kubernetes(
    documents: Sequence[Mapping[str, Any]], organization: str, project: str
) -> Imported:
    """Returns a Component and a Workload for each Deployment, with the ports of its Services."""
    services = [Reader(one) for one in documents if one.get("kind") == "Service"]
    made: list[dict[str, Any]] = []
    lost: list[Lost] = []
    used: set[str] = set()
    for one in documents:
        if one.get("kind") == "Deployment":
            resources, unread = _deployment(Reader(one), services, used, organization, project)
            made += resources
            lost += unread
        elif one.get("kind") != "Service":
            reader = Reader(one)
            why = "only Deployments and Services are read; a class may make such objects"
            lost.append(reader.lost("", why))
    lost += [one.lost("", "selects no Deployment") for one in services if one.name not in used]
    return Imported(resources=tuple(made), lost=tuple(lost))


def _deployment(
    reader: Reader, services: Sequence[Reader], used: set[str], organization: str, project: str
) -> tuple[list[dict[str, Any]], list[Lost]]:
    reader.take("spec.selector")
    labels = reader.take("spec.template.metadata.labels", default={})
    given = reader.take(f"{_POD}.containers", default=[])
    containers, lost = [], list[Lost]()
    ports: dict[str, int] = {}
    for number, one in enumerate(given):
        ports |= {
            str(port.get("name", "")): port["containerPort"] for port in one.get("ports") or ()
        }
        name = MAIN_CONTAINER if number == 0 else str(one["name"])
        without = {key: value for key, value in one.items() if key != "ports"}
        made, unread = container(reader, f"{_POD}.containers[{number}]", without, name)
        containers.append(made)
        lost += unread
    endpoints: dict[int, dict[str, Any]] = {}
    for service in services:
        selector = service.take("spec.selector", default={})
        if selector and selector.items() <= dict(labels).items():
            used.add(service.name)
            for port in service.take("spec.ports", default=[]):
                target = port.get("targetPort", port["port"])
                number = ports.get(target, port["port"]) if isinstance(target, str) else target
                named = str(port.get("name") or f"port-{number}")[:15].rstrip("-")
                endpoints.setdefault(number, {"name": named, "port": number})
    if replicas := reader.take("spec.replicas"):
        why = f"write replicas: {replicas} into spec.workload of the binding"
        lost.append(reader.lost("spec.replicas", why))
    owner = {"componentOwner": {"projectRef": project}}
    workload = {
        "componentRef": reader.name,
        "containers": containers,
        "endpoints": [endpoints[number] for number in sorted(endpoints)],
    }
    return [
        resource("Component", reader.name, organization, owner),
        resource("Workload", reader.name, organization, workload),
    ], [*lost, *reader.left()]

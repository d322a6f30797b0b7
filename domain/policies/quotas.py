"""Quotas of organization, project and environment: what is taken up, and whether more fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.rendering.labels import SHARED
from domain.rendering.quantities import amount
from domain.resources.binding import Binding
from domain.resources.component import Project
from domain.resources.environment import Environment
from domain.resources.organization import Organization
from domain.resources.quota import Quota

_POD_PATHS: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_MIB = Decimal(1024) ** 2


class Usage(BaseModel):
    """What is taken up."""

    model_config = ConfigDict(frozen=True)

    cpu: Decimal = Decimal(0)
    """Cores that are requested."""
    memory: Decimal = Decimal(0)
    """Bytes that are requested."""
    objects: int = 0
    components: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            cpu=self.cpu + other.cpu,
            memory=self.memory + other.memory,
            objects=self.objects + other.objects,
            components=self.components + other.components,
        )


class Excess(BaseModel):
    """A quota that does not hold what is asked for."""

    model_config = ConfigDict(frozen=True)

    scope: str
    """Kind and name of the resource whose quota it is."""
    resource: str
    """``cpu``, ``memory``, ``objects`` or ``components``."""
    limit: str
    used: str
    """What others take up."""
    asked: str

    def __str__(self) -> str:
        return (
            f"{self.scope} allows {self.limit} {self.resource}, others use {self.used} and this "
            f"needs {self.asked}"
        )


class QuotaScope(BaseModel):
    """One quota with what others take up of it."""

    model_config = ConfigDict(frozen=True)

    scope: str
    quota: Quota
    used: Usage = Usage()


def usage_of(objects: Iterable[Mapping[str, Any]]) -> Usage:
    """Returns what the objects of one component take up at most; shared ones belong to nobody.

    Of what is scaled by load all replicas count that it may have; of a scheduled task one run, or
    two where runs may overlap.
    """
    listed = [one for one in objects if not _is_shared(one)]
    most = {
        str(one["spec"]["scaleTargetRef"]["name"]): int(one["spec"]["maxReplicas"])
        for one in listed
        if one.get("kind") == "HorizontalPodAutoscaler"
    }
    cpu = memory = Decimal(0)
    for one in listed:
        path = _POD_PATHS.get(str(one.get("kind")))
        if path is None:
            continue
        pod: Any = one
        for step in path:
            pod = pod[step]
        count = _pods(one, most)
        cpu += count * _requested(pod, "cpu")
        memory += count * _requested(pod, "memory")
    return Usage(cpu=cpu, memory=memory, objects=len(listed), components=1 if listed else 0)


def excesses(scopes: Iterable[QuotaScope], asked: Usage) -> tuple[Excess, ...]:
    """Returns every quota that would be passed, empty when all hold.

    Pure: the gate "quota fits" and the refusal of a deployment are this one judgement.
    """
    found = []
    for one in scopes:
        for resource, limit, used, more in (
            ("cpu", _limit(one.quota.cpu), one.used.cpu, asked.cpu),
            ("memory", _limit(one.quota.memory), one.used.memory, asked.memory),
            (
                "objects",
                _count(one.quota.objects),
                Decimal(one.used.objects),
                Decimal(asked.objects),
            ),
            (
                "components",
                _count(one.quota.components),
                Decimal(one.used.components),
                Decimal(asked.components),
            ),
        ):
            if limit is not None and more > 0 and used + more > limit:
                found.append(
                    Excess(
                        scope=one.scope,
                        resource=resource,
                        limit=said(resource, limit),
                        used=said(resource, used),
                        asked=said(resource, more),
                    )
                )
    return tuple(found)


def quota_scopes(
    owners: Iterable[Organization | Project | Environment],
    bindings: Iterable[Binding],
    projects: Mapping[str, str],
) -> list[QuotaScope]:
    """Returns the quotas of these owners with what the bindings take up of each.

    ``projects`` is component -> project. Bindings of which nothing runs take up nothing.
    """
    listed = list(bindings)
    scopes = []
    for owner in owners:
        within = [one for one in listed if _is_within(owner, one, projects)]
        used = sum((usage_of_binding(one) for one in within), Usage())
        said_owner = f"{owner.kind} {owner.name}"
        scopes.append(QuotaScope(scope=said_owner, quota=owner.spec.quota, used=used))
    return scopes


def usage_of_binding(binding: Binding) -> Usage:
    """Returns what runs of a binding takes up, as its status tells."""
    usage = binding.status.usage
    return Usage(
        cpu=amount(usage.cpu or 0, "status.usage"),
        memory=amount(usage.memory or 0, "status.usage"),
        objects=usage.objects or 0,
        components=1 if usage.objects else 0,
    )


def _is_within(
    owner: Organization | Project | Environment, binding: Binding, projects: Mapping[str, str]
) -> bool:
    if isinstance(owner, Environment):
        return binding.environment == owner.name
    if isinstance(owner, Project):
        return projects.get(binding.component, "") == owner.name
    return True


def said(resource: str, value: Decimal) -> str:
    """Returns an amount for people: ``1.5``, ``250m``, ``512Mi``, ``12``."""
    if resource == "memory":
        return f"{_plain(value / _MIB)}Mi"
    if resource == "cpu" and value != value.to_integral_value() and value < 1:
        return f"{_plain(value * 1000)}m"
    return _plain(value)


def _plain(value: Decimal) -> str:
    rounded = value.quantize(Decimal("0.001")).normalize()
    return f"{rounded:f}"


def _limit(quantity: str) -> Decimal | None:
    return amount(quantity, "quota") if quantity else None


def _count(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _is_shared(one: Mapping[str, Any]) -> bool:
    return (one["metadata"].get("labels") or {}).get(SHARED) == "true"


def _pods(one: Mapping[str, Any], most: Mapping[str, int]) -> int:
    spec = one["spec"]
    if one["kind"] == "Deployment":
        return most.get(str(one["metadata"]["name"]), int(spec.get("replicas", 1)))
    if one["kind"] == "CronJob":
        if spec.get("suspend"):
            return 0
        each = int(spec["jobTemplate"]["spec"].get("parallelism", 1))
        return each * (2 if spec.get("concurrencyPolicy") == "Allow" else 1)
    return int(spec.get("parallelism", 1))


def _requested(pod: Mapping[str, Any], resource: str) -> Decimal:
    """Returns what Kubernetes sets aside: all containers, or the largest that runs before them."""

    def of(container: Mapping[str, Any]) -> Decimal:
        needs = container.get("resources") or {}
        asked = (needs.get("requests") or {}).get(resource) or (needs.get("limits") or {}).get(
            resource
        )
        return amount(asked, "resources") if asked else Decimal(0)

    together = sum((of(one) for one in pod.get("containers") or ()), Decimal(0))
    before = max((of(one) for one in pod.get("initContainers") or ()), default=Decimal(0))
    return max(together, before)

"""How the health of a component's own container is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.resources.workload import Probe, WorkloadEndpoint


def own_probes(
    facts: ReleaseFacts, template: Mapping[str, Any], deadline_seconds: int
) -> dict[str, Any]:
    """Returns the probes that the workload declares, and one of readiness where nobody does.

    Without one, a pod counts as ready before its process listens, and each rollout loses requests.
    The start-up probe asks every second, so that a fast start is seen at once, and is as patient
    as the rollout.

    Raises:
        InvalidRequest: A probe has no port to ask.
    """
    if facts.is_task:
        return {}  # it is ready when it ends
    own = facts.workload.main
    ready = own.readiness
    if ready is None and "readinessProbe" not in template and _connectable(facts):
        ready = Probe(period_seconds=2)
    probes: dict[str, Any] = {}
    if ready is not None:
        probes["readinessProbe"] = _rendered(facts, ready)
        probes["startupProbe"] = template.get("startupProbe") or {
            **_question(facts, ready),
            "periodSeconds": 1,
            "timeoutSeconds": ready.timeout_seconds,
            "failureThreshold": deadline_seconds,
        }
    if own.liveness is not None:
        probes["livenessProbe"] = _rendered(facts, own.liveness)
    return probes


def _rendered(facts: ReleaseFacts, probe: Probe) -> dict[str, Any]:
    return {
        **_question(facts, probe),
        "initialDelaySeconds": probe.initial_delay_seconds,
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


def _connectable(facts: ReleaseFacts) -> list[WorkloadEndpoint]:
    """Returns the endpoints that a connection can be made to: of UDP nobody can tell."""
    return [one for one in facts.workload.spec.endpoints if one.type.transport == "TCP"]


def _question(facts: ReleaseFacts, probe: Probe) -> dict[str, Any]:
    """Returns what is asked: a command, an HTTP path or a connection to a port."""
    if probe.command:
        return {"exec": {"command": list(probe.command)}}
    declared = _connectable(facts)
    port = probe.port or (declared[0].port if declared else 0)
    if not port:
        raise InvalidRequest(
            f"Workload {facts.workload.name}: a probe names no port and there is no endpoint"
        )
    if probe.path:
        return {"httpGet": {"path": probe.path, "port": port}}
    return {"tcpSocket": {"port": port}}

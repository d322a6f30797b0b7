"""What of a release's policies is tried from pods after it was applied, and by which pods."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.deliveries.probes import ProbedWay, Prober, ProbeRun
from domain.rendering.configuration.pulling import pull_secrets_of
from domain.rendering.facts import ReleaseFacts
from domain.rendering.gates.jobs import pulled_with
from domain.rendering.labels import CALLS, COMPONENT, ENVIRONMENT, ORGANIZATION, PROJECT
from domain.rendering.network.ends import namespace_of
from domain.rendering.network.judging import party_of
from domain.resources.binding import BindingState
from domain.resources.environment import ProbePolicy

PROBE = "choreo.dev/probe"
"""Label of the Jobs that probe."""
LIMIT_SECONDS = 40
"""How long what must pass may take until it does."""
DEADLINE_SECONDS = 240
_KEPT_SECONDS = 600
_NOBODY = 10001
_POLICIES = frozenset({"NetworkPolicy", "CiliumNetworkPolicy"})
_CARRIED = frozenset({COMPONENT, ORGANIZATION, PROJECT, ENVIRONMENT})

PROGRAM = """
import concurrent.futures, json, os, socket, time
LIMIT, STEADY = float(os.environ["LIMIT"]), 3
def tried(host, port):
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
    except OSError:
        return "unresolved"
    try:
        socket.create_connection(address[:2], 2).close()
        return "open"
    except OSError:
        return "shut"
def settled(way):
    host, port, passes = way
    wanted, seen, end = "open" if passes else "shut", 0, time.monotonic() + LIMIT
    while True:
        found = tried(host, port)
        seen = seen + 1 if found == wanted else 0
        if seen >= (1 if passes else STEADY) or time.monotonic() > end:
            return found
        time.sleep(0.5)
ways = json.loads(os.environ["WAYS"])
with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
    told = list(pool.map(settled, ways))
with open("/dev/termination-log", "w") as log:
    json.dump(told, log)
"""
"""Tries each way until it is as wanted. What must not pass is believed when it did not several
times while names are answered: a pod that is not known yet reaches nobody."""


def probe_run(
    facts: ReleaseFacts, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> ProbeRun | None:
    """Returns what is to be tried; None where nobody asks, nothing runs or no way changes.

    Args:
        facts: What the release was rendered from.
        before: Objects of the release that ran before; empty = nothing did.
        after: Its own objects.
    """
    asked = facts.environment.spec.network.probes
    pods = party_of(after)
    if asked is ProbePolicy.OFF or facts.is_task or pods is None:
        return None
    if facts.state is not BindingState.ACTIVE or _decides(before) == _decides(after):
        return None
    policy = next(one for one in after if _is_own(one, facts.component.name))
    ways = tuple(_ways(facts, after))
    return (
        ProbeRun(
            organization=facts.organization,
            project=facts.project,
            component=facts.component.name,
            environment=facts.environment.name,
            namespace=facts.namespace,
            image=facts.data_plane.spec.network.probe_image,
            policy=dict(policy),
            labels={
                key: pods.labels[key]
                for key in sorted(pods.labels)
                if key in _CARRIED or key.startswith(CALLS)
            },
            ways=ways,
            enforced=asked is ProbePolicy.ENFORCE,
            pull_secrets=next(pull_secrets_of(one) for one in after if _runs(one)),
        )
        if ways
        else None
    )


def _ways(facts: ReleaseFacts, objects: Iterable[Mapping[str, Any]]) -> Iterator[ProbedWay]:
    name = facts.component.name
    calls = {(one.component, one.endpoint) for one in facts.interfaces.dependencies}
    own = f"{name}.{facts.namespace}.svc"
    service = next((one for one in objects if _is_service(one, name)), None)
    for port in service["spec"]["ports"] if service else ():
        if port["protocol"] != "TCP":
            continue
        at = f"{name}.{port['name']}"
        for prober, passes, said in (
            (Prober.CALLER, True, f"a declared caller reaches {at}"),
            (Prober.STRANGER, False, f"nobody else reaches {at}"),
            (Prober.COMPONENT, False, f"{name} does not reach {at}, which it did not declare"),
        ):
            if prober is Prober.COMPONENT and (name, port["name"]) in calls:
                continue
            yield ProbedWay(prober=prober, host=own, port=port["port"], passes=passes, said=said)
    for called in facts.interfaces.dependencies:
        if not called.component or called.component == name or called.transport != "TCP":
            continue  # what lies outside may be away for reasons of its own
        namespace = namespace_of(facts, called)
        yield ProbedWay(
            prober=Prober.COMPONENT,
            host=f"{called.component}.{namespace}.svc",
            port=called.port,
            passes=True,
            said=f"{name} reaches {called.target}",
            needs=called.component,
            needs_namespace=namespace,
        )


def _decides(objects: Iterable[Mapping[str, Any]]) -> tuple[Any, ...]:
    """Returns what of objects decides who may talk: policies, and the right to call."""
    found = list(objects)
    pods = party_of(found)
    labels = {key for key in (pods.labels if pods else ()) if key.startswith(CALLS)}
    return ([one for one in found if one["kind"] in _POLICIES], labels)


def _is_service(obj: Mapping[str, Any], component: str) -> bool:
    return (obj["kind"], obj["metadata"]["name"]) == ("Service", component)


def _runs(obj: Mapping[str, Any]) -> bool:
    return bool(obj["kind"] == "Deployment")


def _is_own(obj: Mapping[str, Any], component: str) -> bool:
    return obj["kind"] in _POLICIES and obj["metadata"]["name"] == component


def probe_job(
    run: ProbeRun, name: str, labels: Mapping[str, str], ways: Sequence[ProbedWay]
) -> dict[str, Any]:
    """Returns the Job of one prober: one try, no rights, gone soon after its end.

    Its pod is never Ready, so that no Service of the component sends anything to it. Suspended
    until its policy is there.
    """
    own = {
        ORGANIZATION: run.organization,
        PROJECT: run.project,
        ENVIRONMENT: run.environment,
        PROBE: name,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": run.namespace, "labels": own},
        "spec": {
            "suspend": True,
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": {**own, **labels}},
                "spec": _prober(run.image, ways) | pulled_with(run.pull_secrets),
            },
        },
    }


def _prober(image: str, ways: Sequence[ProbedWay]) -> dict[str, Any]:
    """Returns the pod of a prober, without rights and never Ready."""
    told = json.dumps([(one.host, one.port, one.passes) for one in ways])
    container = {
        "name": "probe",
        "image": image,
        "command": ["python3", "-c", PROGRAM],
        "env": [{"name": "WAYS", "value": told}, {"name": "LIMIT", "value": str(LIMIT_SECONDS)}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "readinessGates": [{"conditionType": PROBE}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }

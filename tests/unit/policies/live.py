"""Live Kubernetes objects as the API server gives them, cut to what is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REVISION = "deployment.kubernetes.io/revision"


def ago(**passed: float) -> str:
    return (NOW - timedelta(**passed)).isoformat().replace("+00:00", "Z")


def deployment(
    *,
    wanted: int | None = 2,
    replicas: int = 2,
    updated: int = 2,
    available: int = 2,
    observed: int = 3,
    conditions: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    spec = {} if wanted is None else {"replicas": wanted}
    return {
        "metadata": {
            "name": "web",
            "uid": "deployment",
            "generation": 3,
            "annotations": {REVISION: "2"},
        },
        "spec": spec,
        "status": {
            "observedGeneration": observed,
            "replicas": replicas,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "conditions": conditions or [],
        },
    }


def replica_set(
    revision: str = "2", owner: str = "deployment", conditions: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"web-{revision}",
            "uid": f"set-{revision}",
            "annotations": {REVISION: revision},
            "ownerReferences": [{"controller": True, "uid": owner}],
        },
        "status": {"conditions": conditions or []},
    }


def pod(
    name: str = "web-2-a",
    *,
    state: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    restarts: int = 0,
    ready: bool = False,
    revision: str = "2",
    age: float = 5,
    conditions: list[dict[str, Any]] | None = None,
    init: list[dict[str, Any]] | None = None,
    leaving: bool = False,
) -> dict[str, Any]:
    status = {
        "name": "main",
        "image": "registry/web",
        "ready": ready,
        "restartCount": restarts,
        "state": state or {"running": {}},
        "lastState": last or {},
    }
    metadata: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "creationTimestamp": ago(seconds=age),
        "ownerReferences": [{"controller": True, "uid": f"set-{revision}"}],
    }
    if leaving:
        metadata["deletionTimestamp"] = ago(seconds=1)
    return {
        "metadata": metadata,
        "status": {
            "containerStatuses": [status],
            "initContainerStatuses": init or [],
            "conditions": conditions or [{"type": "Ready", "status": str(ready)}],
        },
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def warning(pod_name: str, message: str, at: str, field: str = "lastTimestamp") -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "Warning",
        "message": message,
        "involvedObject": {"uid": f"uid-{pod_name}"},
    }
    if field == "series":
        event["series"] = {"lastObservedTime": at}
    else:
        event[field] = at
    return event


def route(
    *conditions: dict[str, Any], parents: int = 1, wanted: int = 1, generation: int = 2
) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "generation": generation},
        "spec": {"parentRefs": [{"name": f"gateway-{index}"} for index in range(wanted)]},
        "status": {"parents": [{"conditions": list(conditions)}] * parents},
    }


def fact(kind: str, status: str = "True", generation: int = 2, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "observedGeneration": generation, **more}


def workflow(
    phase: str | None,
    *,
    node: dict[str, Any] | None = None,
    message: str = "",
    exit_code: int | str | None = None,
    report: str = "",
    tests: str = "",
    **spec: Any,
) -> dict[str, Any]:
    """Returns an Argo Workflow of one pod, in the shape of release 3.7."""
    status: dict[str, Any] = {"message": message}
    if phase is not None:
        status["phase"] = phase
    if node is not None:
        outputs: dict[str, Any] = {
            "parameters": [
                {"name": "report", "value": report},
                {"name": "tests", "value": tests},
            ]
        }
        if exit_code is not None:
            outputs["exitCode"] = exit_code
        status["nodes"] = {"web": {"type": "Pod", "outputs": outputs, **node}}
    return {"metadata": {"name": "web-cccc"}, "spec": spec, "status": status}

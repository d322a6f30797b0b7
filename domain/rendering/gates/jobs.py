"""The Job that runs a command as the tests of a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.deliveries.promotion_effects import GateTestRun
from domain.rendering import labels as names
from domain.rendering.network.neighbours import Neighbour

GATE = "choreo.dev/gate"
"""Label of everything that runs tests of gates."""
KEPT_SECONDS = 3600
"""How long what ran stays to be looked at."""
_RUN = "choreo.dev/gate-run"
_NOBODY = 10001
"""As which user tests run: many images name none, or one by its name."""
POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": _NOBODY,
    "runAsGroup": _NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
"""Both fit into a namespace that enforces the restricted profile, as those of components do."""


def gate_labels(run: GateTestRun) -> dict[str, str]:
    """Returns the labels of what runs and its policy, which tell its pods from those of others."""
    return {
        names.ORGANIZATION: run.organization,
        names.PROJECT: run.project,
        names.ENVIRONMENT: run.environment,
        GATE: run.gate,
        _RUN: run.name,
    }


def gate_job(
    run: GateTestRun, neighbour: Neighbour | None, pulls: Sequence[str] = ()
) -> dict[str, Any]:
    """Returns the Job: one try, nobody's identity, no rights, gone an hour after its end.

    Suspended where it has a neighbour to call, until it may. ``pulls`` are pull secrets by name.
    """
    labels = gate_labels(run)
    container = {
        "name": "tests",
        "image": run.image,
        "command": list(run.command),
        "securityContext": CONTAINER_SECURITY,
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": run.name, "namespace": run.namespace, "labels": labels},
        "spec": {
            "suspend": neighbour is not None,
            "backoffLimit": 0,
            "activeDeadlineSeconds": run.timeout_seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": {**labels, **_given(neighbour)}},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "securityContext": POD_SECURITY,
                    "containers": [container],
                    **pulled_with(pulls),
                },
            },
        },
    }


def pulled_with(pulls: Sequence[str]) -> dict[str, Any]:
    """Returns what names pull secrets in the spec of a pod or an Argo Workflow."""
    return {"imagePullSecrets": [{"name": one} for one in pulls]} if pulls else {}


def _given(neighbour: Neighbour | None) -> Mapping[str, str]:
    return neighbour.labels if neighbour else {}

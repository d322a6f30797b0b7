"""The Argo Workflow that runs a template as the tests of a gate, and the little it may do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from domain.deliveries.promotion_effects import GateTestRun
from domain.rendering.gates.jobs import (
    CONTAINER_SECURITY,
    KEPT_SECONDS,
    POD_SECURITY,
    gate_labels,
    pulled_with,
)
from domain.rendering.labels import manifest
from domain.rendering.network.neighbours import Neighbour

_RBAC = "rbac.authorization.k8s.io"
_ARGO = "argoproj.io/v1alpha1"


def gate_workflow(
    run: GateTestRun, neighbour: Neighbour, pulls: Sequence[str] = ()
) -> dict[str, Any]:
    """Returns the Argo Workflow, suspended until its identity and its policy are there.

    What it says goes before what the template says: whose identity it has, as whom its containers
    run, how long, with which pull secrets. Templates of containers and scripts are meant; their
    commands get no token.
    """
    labels = gate_labels(run)
    given = {
        "organization": run.organization,
        "project": run.project,
        "component": run.component,
        "environment": run.environment,
        "image": run.image,
        **run.parameters,
    }
    reference: dict[str, Any] = {"name": run.template}
    if run.cluster_scope:
        reference["clusterScope"] = True
    return {
        "apiVersion": _ARGO,
        "kind": "Workflow",
        "metadata": {"name": run.name, "namespace": run.namespace, "labels": labels},
        "spec": {
            "suspend": True,
            "workflowTemplateRef": reference,
            "arguments": {
                "parameters": [{"name": key, "value": given[key]} for key in sorted(given)]
            },
            "serviceAccountName": run.name,
            # The commands run beside Argo's sidecar: only that one gets a token.
            "automountServiceAccountToken": False,
            "executor": {"serviceAccountName": run.name},
            "activeDeadlineSeconds": run.timeout_seconds,
            "securityContext": POD_SECURITY,
            "podSpecPatch": json.dumps(_restricted(), sort_keys=True),
            "podMetadata": {"labels": {**labels, **neighbour.labels}},
            "podGC": {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "600s"},
            "ttlStrategy": {"secondsAfterCompletion": KEPT_SECONDS},
            **pulled_with(pulls),
        },
    }


def gate_identity(run: GateTestRun, uid: str) -> list[dict[str, Any]]:
    """Returns who Argo's sidecar is in the pods of a run; all of it goes with the Workflow.

    Args:
        run: What is run.
        uid: Of the Argo Workflow.
    """
    labels, place = gate_labels(run), run.namespace
    rule = {
        "apiGroups": ["argoproj.io"],
        "resources": ["workflowtaskresults"],
        "verbs": ["create", "patch"],
    }
    binding = {
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": run.name},
        "subjects": [{"kind": "ServiceAccount", "name": run.name, "namespace": place}],
    }
    version = f"{_RBAC}/v1"
    token = manifest(
        "v1",
        "Secret",
        f"{run.name}.service-account-token",
        place,
        labels,
        type="kubernetes.io/service-account-token",
    )
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": run.name}
    made = [
        manifest(
            "v1", "ServiceAccount", run.name, place, labels, automountServiceAccountToken=False
        ),
        manifest(version, "Role", run.name, place, labels, rules=[rule]),
        manifest(version, "RoleBinding", run.name, place, labels, **binding),
        token,
    ]
    return [owned_by({"apiVersion": _ARGO, "kind": "Workflow"}, run.name, uid, one) for one in made]


def owned_by(
    owner: Mapping[str, str], name: str, uid: str, obj: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns an object that Kubernetes deletes with its owner."""
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name, "uid": uid}
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [reference]}}


def _restricted() -> dict[str, Any]:
    """What makes the pods fit into a namespace of components: Argo's containers, and the main."""
    return {
        "securityContext": POD_SECURITY,
        "initContainers": [{"name": "init", "securityContext": CONTAINER_SECURITY}],
        "containers": [
            {"name": name, "securityContext": CONTAINER_SECURITY} for name in ("main", "wait")
        ],
    }

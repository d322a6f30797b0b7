"""What the API server itself refuses of an organization, whoever asks: ValidatingAdmissionPolicies.

They stand beside the platform's own checks, which a person with kubectl, an operator in the cluster
or a custom resource does not pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from domain.ids import FIELD_MANAGER
from domain.policies.tenants.images import Registries, own_repositories
from domain.rendering.labels import MANAGED_BY, ORGANIZATION, PROJECT, manifest
from domain.resources.base import GROUP
from domain.resources.organization import Organization

API_VERSION = "admissionregistration.k8s.io/v1"
KIND = "ValidatingAdmissionPolicy"
_POD_SPEC = (
    "object.kind == 'Pod' ? object.spec : object.kind == 'CronJob' ? "
    "object.spec.jobTemplate.spec.template.spec : object.spec.template.spec"
)
_IMAGES = (
    "(variables.pod.containers + (has(variables.pod.initContainers) ? "
    "variables.pod.initContainers : []) + (has(variables.pod.ephemeralContainers) ? "
    "variables.pod.ephemeralContainers : [])).map(one, one.image)"
)
_BELOW = "(image.startsWith(place + '/') || image.startsWith(place + '@') || image.startsWith(place + ':'))"  # noqa: E501 - one expression
_WRITES = ["CREATE", "UPDATE"]


def image_admission(organization: Organization, registries: Registries) -> list[dict[str, Any]]:
    """Returns the policy of a plane by which pods of the organization run only images it may run.

    It holds in the namespaces of projects. Builds run images of the platform and are left out.
    """
    own = own_repositories(organization.name, registries)
    allowed = (*own, *organization.spec.security.allowed_registries)
    foreign = _any_below([place.rstrip("/") for place in registries.shared])
    mine = _any_below([place.rstrip("/") for place in own])
    named = _any_below([place.rstrip("/") for place in allowed])
    validations = [
        {
            "expression": f"variables.images.all(image, !({foreign}) || {mine})",
            "messageExpression": _listed(
                f"!(!({foreign}) || {mine})",
                f"of another organization: {organization.name} may run {' or '.join(own)}/...",
            ),
            "reason": "Forbidden",
        }
    ]
    if organization.spec.security.allowed_registries:
        validations.append(
            {
                "expression": f"variables.images.all(image, {named})",
                "messageExpression": _listed(
                    f"!({named})",
                    f"from a registry that organization {organization.name} does not allow: "
                    f"{', '.join(allowed)}",
                ),
                "reason": "Forbidden",
            }
        )
    selector = {
        "matchLabels": {ORGANIZATION: organization.name},
        "matchExpressions": [{"key": PROJECT, "operator": "Exists"}],
    }
    return _policy(
        f"pavane-images-{organization.name}",
        organization.name,
        rules=_what_runs_images(),
        namespaces=selector,
        validations=validations,
        variables=[
            {"name": "pod", "expression": _POD_SPEC},
            {"name": "images", "expression": _IMAGES},
        ],
    )


def label_admission(organization: Organization) -> list[dict[str, Any]]:
    """Returns the policy of the control plane by which projects and components carry labels.

    What was there before stays, and may be changed once it carries them. Without required labels
    the policy is there and admits everything: an apply of it takes the former one's place.
    """
    keys = list(organization.spec.security.required_labels)
    missing = (
        f"{_quoted(keys)}.filter(key, !(has(object.metadata.labels) && key in "
        "object.metadata.labels && object.metadata.labels[key] != ''))"
    )
    if not keys:
        missing = "[''].filter(key, false)"
    unchanged = "oldObject != null && object.spec == oldObject.spec"
    validations = [
        {
            "expression": f"{unchanged} || size({missing}) == 0",
            "messageExpression": f"'organization {organization.name} demands the labels ' + "
            f"{missing}.join(', ')",
            "reason": "Invalid",
        }
    ]
    return _policy(
        f"pavane-labels-{organization.name}",
        organization.name,
        rules=[_rule(GROUP, "v1alpha1", ["projects", "components"])],
        namespaces={"matchLabels": {"kubernetes.io/metadata.name": organization.name}},
        validations=validations,
    )


def _what_runs_images() -> list[dict[str, Any]]:
    return [
        _rule("", "v1", ["pods", "pods/ephemeralcontainers"]),
        _rule("apps", "v1", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
        _rule("batch", "v1", ["jobs", "cronjobs"]),
    ]


def _policy(
    name: str,
    organization: str,
    *,
    rules: list[dict[str, Any]],
    namespaces: dict[str, Any],
    validations: list[dict[str, Any]],
    variables: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    labels = {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"namespaceSelector": namespaces, "resourceRules": rules},
        "variables": list(variables),
        "validations": validations,
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    return [
        manifest(API_VERSION, KIND, name, "", labels, spec=spec),
        manifest(API_VERSION, f"{KIND}Binding", name, "", labels, spec=binding),
    ]


def _rule(group: str, version: str, resources: list[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": _WRITES,
        "resources": resources,
    }


def _any_below(places: Sequence[str]) -> str:
    return f"{_quoted(places)}.exists(place, {_BELOW})" if places else "false"


def _listed(condition: str, why: str) -> str:
    return f"variables.images.filter(image, {condition}).join(', ') + {json.dumps(' is ' + why)}"


def _quoted(values: Sequence[str]) -> str:
    return json.dumps(list(values))

"""The namespace in which the resources of an organization live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import MANAGED_BY, ORGANIZATION, manifest
from domain.resources.organization import Organization


def organization_namespace(organization: str) -> dict[str, Any]:
    """Returns it. No pod may run there that could do harm: only resources belong into it."""
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    labels = {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization}
    return manifest("v1", "Namespace", organization, "", labels | security)


def owned(
    organization: Organization, objects: Iterable[dict[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Returns objects of the control plane that Kubernetes deletes with the Organization.

    So nobody keeps a right in what is left of an organization that was deleted.
    """
    owner = {
        "apiVersion": organization.api_version,
        "kind": organization.kind,
        "name": organization.name,
        "uid": organization.metadata.uid,
    }
    return tuple(
        one | {"metadata": one["metadata"] | {"ownerReferences": [owner]}} for one in objects
    )

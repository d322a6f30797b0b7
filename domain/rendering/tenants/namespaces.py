"""The namespace in which the resources of an organization live."""

from __future__ import annotations

from typing import Any

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import MANAGED_BY, ORGANIZATION, manifest


def organization_namespace(organization: str) -> dict[str, Any]:
    """Returns it. No pod may run there that could do harm: only resources belong into it."""
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    labels = {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization}
    return manifest("v1", "Namespace", organization, "", labels | security)

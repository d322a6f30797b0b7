"""Names that no organization may have, because something else has them already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.rendering.labels import ORGANIZATION, PROJECT

_TAKEN = frozenset({"default", "pavane-system"})
_PREFIXES = ("kube-", "openshift-")


def refused_namespace(
    organization: str, found: Mapping[str, Any] | None, shared: tuple[str, ...] = ()
) -> str:
    """Returns why the namespace of its name cannot be an organization's; empty = it can.

    Args:
        organization: The name.
        found: The namespace as it is now, None when there is none.
        shared: Prefixes of repositories that all may pull from, which no organization may own.
    """
    if organization in _TAKEN or organization.startswith(_PREFIXES):
        return f"the name {organization} belongs to Kubernetes or to the platform: choose another"
    if organization in {one.strip("/").partition("/")[0] for one in shared}:
        return f"the name {organization} is that of images which everybody may pull: choose another"
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    owner = labels.get(ORGANIZATION, organization)
    if owner != organization or PROJECT in labels:
        return (
            f"namespace {organization} runs components of organization {owner}: "
            "choose another name, or delete that project first"
        )
    return ""

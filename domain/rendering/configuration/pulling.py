"""What nodes pull the images of a component with: a name and where it comes from, never a value.

The plane says who it is to its registry; each component has a pull secret of its own, which whoever
delivers secrets fills before the workload is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.configuration.secrets import store_of
from domain.rendering.facts import ReleaseFacts
from domain.secrets import delivery


def pull_secret_name(component: str) -> str:
    """Returns the name of the pull secret of a component."""
    return ids.content_name(f"{component}-pull", ["pull", component])


def mount_pull_secret(facts: ReleaseFacts, spec: dict[str, Any]) -> None:
    """Adds the pull secret to the spec of a pod; nothing where the plane is nobody to it."""
    if not _path(facts):
        return
    given = spec.get("imagePullSecrets") or ()
    own = {"name": pull_secret_name(facts.component.name)}
    spec["imagePullSecrets"] = [own, *(one for one in given if one != own)]


def pulls_annotation(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the annotation by which a workload says what its pull secret is filled from.

    Raises:
        InvalidRequest: The plane does not say for which registry its credential is.
    """
    path, host = _path(facts), facts.data_plane.spec.registry.host
    if not path:
        return {}
    if not host:
        raise InvalidRequest(
            f"DataPlane {facts.data_plane.name}: spec.registry.credentials needs "
            "spec.registry.host, as it stands in the names of images"
        )
    return delivery.pulls(pull_secret_name(facts.component.name), path, host, store_of(facts))


def pull_secrets_of(workload: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the names of the pull secrets of the pods of a Deployment or a CronJob."""
    spec = workload["spec"]
    template = (spec.get("jobTemplate") or {"spec": spec})["spec"]["template"]
    return tuple(str(one["name"]) for one in template["spec"].get("imagePullSecrets") or ())


def _path(facts: ReleaseFacts) -> str:
    credentials = facts.data_plane.spec.registry.credentials
    return credentials.vault_path.strip("/") if credentials else ""

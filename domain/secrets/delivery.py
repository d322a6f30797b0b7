"""How a workload says which secrets its pods need, and the Secret in which they find them. Pure.

The workload object names in an annotation the Secret and where in Vault or OpenBao each of its keys
comes from, so a stored release, a restored one and whoever looks for the consumers of a secret all
read the same. Whoever delivers fills the Secret; rendering never sees a value.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from domain import ids
from domain.deliveries.secrets import SecretConsumer, SecretVolume
from domain.errors import Denied, InvalidRequest
from domain.rendering.labels import COMPONENT, ENVIRONMENT, MANAGED_BY, ORGANIZATION, PROJECT
from domain.secrets.places import is_of_plane, key_of, permit_use, scope_of

SOURCES = "choreo.dev/secret-sources"
"""Annotation of a workload: ``{"secret": NAME, "keys": {KEY: VAULT_KEY}}``."""
PULLS = "choreo.dev/pull-secret"
"""The same about the Secret that nodes pull its images with, and ``"registry": HOST``."""
VERSIONS = "choreo.dev/secret-versions"
"""Annotation of a Secret and of a pod template: ``PATH=VERSION`` of all it was filled from. A
version is a number of the secret store, so nothing can be learnt from it."""
PULL_TYPE = "kubernetes.io/dockerconfigjson"
_WHO = ("username", "password")
MANAGER = "pavane-secrets"
"""Field manager of both, apart from that of releases, so that neither removes the other's."""


def sources(
    secret: str, keys: Mapping[str, str], store: str = "", volume: SecretVolume | None = None
) -> dict[str, str]:
    """Returns the annotation of a workload whose pods need a Secret.

    Args:
        secret: Name of the Secret.
        keys: Key -> vault key.
        store: ClusterSecretStore by which External Secrets fills it; empty = Pavane does.
        volume: How the Secrets Store CSI driver brings it; None = it does not.
    """
    content = {"secret": secret, "keys": dict(sorted(keys.items())), **_by(store)}
    if volume is not None:
        content["volume"] = volume.model_dump(mode="json")
    return {SOURCES: json.dumps(content, sort_keys=True)}


def pulls(secret: str, path: str, registry: str, store: str = "") -> dict[str, str]:
    """Returns the annotation of a workload whose images are pulled with a secret."""
    keys = {name: f"{path}/{name}" for name in _WHO}
    content = {"secret": secret, "keys": keys, "registry": registry, **_by(store)}
    return {PULLS: json.dumps(content, sort_keys=True)}


def of_builds(
    organization: str, namespace: str, secret: str, path: str, registry: str
) -> SecretConsumer:
    """Returns who needs the pull secret of an organization's builds, which are of all its projects.

    Raises:
        Denied: The secret is of one project, or of one environment.
    """
    scope = scope_of(path)
    if scope.project or scope.environment or is_of_plane(path):
        raise Denied(
            f"secret {path} cannot be what builds of {organization} pull with, as they are of all "
            "its projects: keep it below shared/"
        )
    return SecretConsumer(
        organization=organization,
        project="",
        environment="",
        component="builds",
        namespace=namespace,
        kind="Workflow",
        name="builds",
        secret=secret,
        keys={name: f"{path}/{name}" for name in _WHO},
        registry=registry,
    )


def _by(store: str) -> dict[str, str]:
    return {"store": store} if store else {}


def consumers(workload: Mapping[str, Any]) -> tuple[SecretConsumer, ...]:
    """Returns the Secrets that a workload needs: for its pods, and to pull its images.

    Raises:
        Denied: As ``consumer``.
        InvalidRequest: As ``consumer``.
    """
    found = (consumer(workload, by) for by in (SOURCES, PULLS))
    return tuple(one for one in found if one is not None)


def consumer(workload: Mapping[str, Any], by: str = SOURCES) -> SecretConsumer | None:
    """Returns what an annotation of a workload says, None when it needs no such secret.

    Raises:
        Denied: The workload stands in a namespace that is not of what its labels say, or asks for
            a secret that it may not use.
        InvalidRequest: The annotation cannot be read.
    """
    meta = workload["metadata"]
    text = (meta.get("annotations") or {}).get(by)
    if not text:
        return None
    labels = meta.get("labels") or {}
    try:
        content = json.loads(text)
        found = SecretConsumer(
            organization=labels.get(ORGANIZATION, ""),
            project=labels.get(PROJECT, ""),
            environment=labels.get(ENVIRONMENT, ""),
            component=labels.get(COMPONENT, ""),
            namespace=meta["namespace"],
            kind=workload["kind"],
            name=meta["name"],
            secret=content["secret"],
            keys=content["keys"],
            store=content.get("store", ""),
            registry=content.get("registry", ""),
            volume=content.get("volume"),
        )
    except (ValueError, KeyError, TypeError):
        raise InvalidRequest(
            f"{workload['kind']} {meta['name']} in {meta['namespace']}: the annotation {by} "
            "cannot be read"
        ) from None
    place = ids.namespace(found.organization, found.project, found.environment)
    if place != found.namespace:
        raise Denied(f"{found.kind} {found.name} in {found.namespace} belongs into {place}")
    for vault_key in found.keys.values():
        permit_use(key_of(vault_key).path, found.project, found.environment)
    return found


def reading(workload: Mapping[str, Any], readers: Sequence[str]) -> list[SecretConsumer]:
    """Returns a Deployment that runs as one of some service accounts, and so reads secrets itself.

    Args:
        workload: A workload of the plane.
        readers: Service accounts, as ``NAMESPACE/NAME``.
    """
    meta, spec = workload["metadata"], workload["spec"]
    if workload["kind"] != "Deployment" or not spec.get("replicas", 1):
        return []
    account = spec["template"]["spec"].get("serviceAccountName", "default")
    if f"{meta['namespace']}/{account}" not in readers:
        return []
    labels = meta.get("labels") or {}
    return [
        SecretConsumer(
            organization=labels.get(ORGANIZATION, ""),
            project=labels.get(PROJECT, ""),
            environment=labels.get(ENVIRONMENT, ""),
            component=labels.get(COMPONENT, ""),
            namespace=meta["namespace"],
            kind=workload["kind"],
            name=meta["name"],
            secret="",
            reads=True,
            account=account,
        )
    ]


def secret_object(
    found: SecretConsumer, values: Mapping[str, str], versions: Mapping[str, int]
) -> dict[str, Any]:
    """Returns the Secret that a consumer needs. It holds values: it goes to the plane only."""
    held = _pulled_with(found.registry, values) if found.registry else values
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": PULL_TYPE if found.registry else "Opaque",
        "metadata": {
            "name": found.secret,
            "namespace": found.namespace,
            "labels": own_labels(found),
            "annotations": {VERSIONS: said(versions)},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in held.items()},
    }


def own_labels(found: SecretConsumer) -> dict[str, str]:
    """Returns the labels of what is made for a consumer."""
    told = {
        MANAGED_BY: MANAGER,
        ORGANIZATION: found.organization,
        PROJECT: found.project,
        ENVIRONMENT: found.environment,
        COMPONENT: found.component,
    }
    return {name: value for name, value in told.items() if value}


def _pulled_with(registry: str, values: Mapping[str, str]) -> dict[str, str]:
    """What a node reads: who it is to a registry."""
    user, password = (values[name] for name in _WHO)
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    content = {"auths": {registry: {"auth": auth, "password": password, "username": user}}}
    return {".dockerconfigjson": json.dumps(content, sort_keys=True)}


def is_ours(secret: Mapping[str, Any]) -> bool:
    """Tells whether a Secret, or what has one made, was made by a delivery."""
    return bool((secret["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER)


def is_so(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tells whether a Secret is as it is wanted."""
    parts = ("labels", "annotations")
    same = all(live["metadata"].get(part) == wanted["metadata"][part] for part in parts)
    return same and live.get("data", {}) == wanted["data"]


def said(versions: Mapping[str, int]) -> str:
    """Returns the versions in words."""
    return " ".join(f"{path}={number}" for path, number in sorted(versions.items()))


def restart(found: SecretConsumer, mark: str) -> dict[str, Any]:
    """Returns what, applied to a Deployment, has its pods replaced; nothing when it is so already.

    Args:
        found: The consumer.
        mark: What its pods are to begin with: ``said`` of the versions.
    """
    template = {"metadata": {"annotations": {VERSIONS: mark}}}
    return {
        "apiVersion": "apps/v1",
        "kind": found.kind,
        "metadata": {"name": found.name, "namespace": found.namespace},
        "spec": {"template": template},
    }

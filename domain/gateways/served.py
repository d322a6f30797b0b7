"""What the gateway shows for the components of one place: a certificate and a listener. Pure.

A route says in an annotation by which names it is asked for, so a stored release, a restored one
and whoever renews certificates all read the same. The key is made where it is kept, and nowhere
else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import ids
from domain.errors import Denied, InvalidRequest
from domain.gateways.marks import CERTIFICATE, listener_name
from domain.rendering.labels import (
    ENVIRONMENT,
    MANAGED_BY,
    ORGANIZATION,
    PROJECT,
    annotated,
    manifest,
)

LISTENER_PORT = "choreo.dev/listener-port"
"""Label of a Gateway whose owner lets Pavane add listeners to it, and at which port."""
MANAGER = "pavane-certificates"
"""Begins the field managers: one for each listener, so that none removes another one's."""
SECRET = "pavane-gateway-tls"  # noqa: S105 - the name of a Secret
MOST_NAMES = 100
MOST_LISTENERS = 64
"""As many a Gateway takes."""
RUN = "choreo.dev/run"
"""Annotation of the Secret: the run of the procedure that renewed it."""
_GROUP = "gateway.networking.k8s.io"
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Served:
    """The names by which components of one place are asked for, and the gateway that is asked."""

    organization: str
    project: str
    environment: str
    namespace: str
    gateway: str
    gateway_namespace: str
    hostname: str
    """What the listener takes: ``*.shop.acme.dev.example.org``, with all that lies below."""
    names: tuple[str, ...]
    """What the certificate has to be good for."""

    @property
    def listener(self) -> str:
        """The name of its listener; no two places can have the same."""
        return listener_name(self.namespace)

    @property
    def shown(self) -> str:
        """For people."""
        return f"the certificate of {self.project} in {self.environment}"


def manager_of(namespace: str) -> str:
    """Returns who owns the fields of that listener."""
    return f"{MANAGER}.{namespace}"


def served(route: Mapping[str, Any]) -> Served | None:
    """Returns what the annotation of a route says, None when it has none.

    Raises:
        Denied: The route stands in a namespace that is not of what its labels say, or asks for
            names of others.
        InvalidRequest: The annotation cannot be read.
    """
    meta = route["metadata"]
    text = (meta.get("annotations") or {}).get(CERTIFICATE)
    if not text:
        return None
    labels = meta.get("labels") or {}
    who = f"{route['kind']} {meta['name']} in {meta['namespace']}"
    try:
        content = json.loads(text)
        found = Served(
            organization=labels.get(ORGANIZATION, ""),
            project=labels.get(PROJECT, ""),
            environment=labels.get(ENVIRONMENT, ""),
            namespace=meta["namespace"],
            gateway=ids.slug(content["gateway"], "gateway"),
            gateway_namespace=ids.slug(content["gatewayNamespace"], "namespace of the gateway"),
            hostname=str(content["hostname"]),
            names=tuple(str(one) for one in content["names"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidRequest(f"{who}: the annotation {CERTIFICATE} cannot be read") from None
    place = ids.namespace(found.organization, found.project, found.environment)
    if place != found.namespace:
        raise Denied(f"{who} belongs into {place}")
    if not found.hostname.startswith(f"*.{found.project}.{found.organization}."):
        raise Denied(f"{who} asks for {found.hostname}, which is not of its project")
    for name in found.names:
        if not name.endswith(found.hostname.removeprefix("*")):
            raise Denied(f"{who} asks for a certificate of {name}, which is not of its project")
    return found


def together(found: Served, names: Iterable[str]) -> Served:
    """Returns the same with more names, of other components of the place.

    Raises:
        InvalidRequest: There are too many for one certificate.
    """
    all_names = sorted({*found.names, *names})
    if len(all_names) > MOST_NAMES:
        raise InvalidRequest(
            f"{found.shown} would be for {len(all_names)} names, and {MOST_NAMES} is the most: "
            "each public gRPC endpoint has one, all that is HTTP has one together"
        )
    return Served(**{**found.__dict__, "names": tuple(all_names)})


def grant(found: Served) -> dict[str, Any]:
    """Returns what lets the Gateway use the Secret, and no other one of the namespace."""
    origin = {"group": _GROUP, "kind": "Gateway", "namespace": found.gateway_namespace}
    spec = {"from": [origin], "to": [{"group": "", "kind": "Secret", "name": SECRET}]}
    return manifest(
        f"{_GROUP}/v1beta1", "ReferenceGrant", SECRET, found.namespace, _labels(found), spec=spec
    )


def listener(found: Served, port: int) -> dict[str, Any]:
    """Returns the part of the Gateway that is the listener of a place."""
    certificate = {"group": "", "kind": "Secret", "name": SECRET, "namespace": found.namespace}
    selected = {"matchLabels": {_NAMESPACE_NAME: found.namespace}}
    one = {
        "name": found.listener,
        "hostname": found.hostname,
        "port": port,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [certificate]},
        "allowedRoutes": {"namespaces": {"from": "Selector", "selector": selected}},
    }
    return _part(found.gateway, found.gateway_namespace, {"spec": {"listeners": [one]}})


def without_listener(gateway: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what, applied as the manager of a listener, removes it from a Gateway."""
    return _part(gateway["metadata"]["name"], gateway["metadata"]["namespace"], {})


def has_listener(gateway: Mapping[str, Any], namespace: str) -> bool:
    """Tells whether a Gateway has the listener of a place."""
    return any(one["name"] == listener_name(namespace) for one in gateway["spec"]["listeners"])


def port_of(gateway: Mapping[str, Any], found: Served) -> int:
    """Returns the port at which a Gateway takes listeners of Pavane.

    Raises:
        InvalidRequest: Its owner does not let Pavane add listeners, or it is full.
    """
    where = f"Gateway {found.gateway} in {found.gateway_namespace}"
    label = (gateway["metadata"].get("labels") or {}).get(LISTENER_PORT, "")
    if not label.isdecimal():
        raise InvalidRequest(
            f"{where} takes no listeners of Pavane: give it the label {LISTENER_PORT} with the "
            "port at which it takes HTTPS, or empty spec.gateway.certificateAuthority of the plane"
        )
    listeners = gateway["spec"]["listeners"]
    if len(listeners) >= MOST_LISTENERS and not has_listener(gateway, found.namespace):
        raise InvalidRequest(
            f"{where} has {len(listeners)} listeners, and {MOST_LISTENERS} is the most: "
            f"{found.shown} needs one; use another Gateway"
        )
    return int(label)


def secret(found: Served, certificate: str, key: str, run: str = "") -> dict[str, Any]:
    """Returns the Secret with the certificate and its key: it goes to the plane only.

    ``run`` is what renewed it; empty = it was made for a release.
    """
    labels = _labels(found)
    made = manifest("v1", "Secret", SECRET, found.namespace, labels, type="kubernetes.io/tls")
    parts = {"tls.crt": certificate, "tls.key": key}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in parts.items()}
    return annotated({**made, "data": encoded}, {RUN: run} if run else {})


def certificate_of(secret: Mapping[str, Any]) -> str:
    """Returns the certificate in a Secret, empty when it has none that is text."""
    try:
        return base64.b64decode((secret.get("data") or {}).get("tls.crt", "")).decode()
    except ValueError:
        return ""


def is_ours(secret: Mapping[str, Any]) -> bool:
    """Tells whether a Secret was made here."""
    return bool((secret["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER)


def is_of_run(secret: Mapping[str, Any], run: str) -> bool:
    """Tells whether a Secret was made by this run."""
    return bool(run) and (secret["metadata"].get("annotations") or {}).get(RUN) == run


def _labels(found: Served) -> dict[str, str]:
    return {
        MANAGED_BY: MANAGER,
        ORGANIZATION: found.organization,
        PROJECT: found.project,
        ENVIRONMENT: found.environment,
    }


def _part(name: str, namespace: str, content: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Gateway", "metadata": metadata, **content}

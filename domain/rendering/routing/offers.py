"""What the gateway of a plane offers. What it does not is refused by name, never left out.

What is not known of a plane that was not looked at yet is taken to be there: the API server and the
route's own conditions tell.
"""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.gateways.marks import listener_name
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest
from domain.resources.planes import PlaneCapabilities

GROUP = "gateway.networking.k8s.io"
LISTENER_SET = "ListenerSet"
_STABLE = "v1"


def route(facts: ReleaseFacts, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Returns a route, or its listeners, in the version that the plane has.

    Raises:
        InvalidRequest: The plane has no such kind.
    """
    api_version = f"{GROUP}/{_version(facts, kind)}"
    labels = component_labels(facts)
    return manifest(api_version, kind, name, facts.namespace, labels, spec=spec)


def needs(facts: ReleaseFacts, feature: str, what: str, *, told: bool = False) -> None:
    """Returns when the gateway can do something, or does not say what it can.

    Args:
        facts: What is rendered.
        feature: Its name in the Gateway API, as ``HTTPRouteCORS``.
        what: Who wants it, for the message.
        told: It has to be told: the usual Gateway API does not know the field.

    Raises:
        InvalidRequest: It cannot.
    """
    features = _capabilities(facts).gateway_features
    if feature in features or not (features or told):
        return
    raise InvalidRequest(
        f"{what} needs {feature}, which the gateway of data plane {facts.data_plane.name} does not "
        "offer: take it out, or have the gateway's class say that it can"
    )


def is_encrypted(facts: ReleaseFacts) -> bool:
    """Tells whether certificates are shown for the component, so that it answers by HTTPS only."""
    return has_issuer(facts) or has_authority(facts)


def has_issuer(facts: ReleaseFacts) -> bool:
    """Tells whether cert-manager makes its certificates, shown by listeners of its own."""
    return bool(facts.data_plane.spec.gateway.certificate_issuer)


def has_authority(facts: ReleaseFacts) -> bool:
    """Tells whether OpenBao signs its certificate, shown by a listener of its place."""
    return bool(facts.data_plane.spec.gateway.certificate_authority)


def through(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the gateway of the plane."""
    return {"name": facts.entrance.name, "namespace": facts.entrance.namespace}


def parent(facts: ReleaseFacts, section: str = "") -> dict[str, str]:
    """Returns what a route attaches to: the gateway, or the component's own listeners.

    ``section`` names the listener of the gateway that it is given; empty = whichever takes it.
    """
    # Not to other listeners besides: they would answer the same name without encryption.
    if has_issuer(facts) and not section:
        return {"group": GROUP, "kind": LISTENER_SET, "name": facts.component.name}
    if has_authority(facts) and not section:
        return {**through(facts), "sectionName": listener_name(facts.namespace)}
    listener = section or facts.entrance.section_name
    return {**through(facts), "sectionName": listener} if listener else through(facts)


def refuse_filled(facts: ReleaseFacts, where: str, fields: set[str]) -> None:
    """Returns when a class sets nothing of what is filled in.

    Raises:
        InvalidRequest: It does.
    """
    if fields:
        raise InvalidRequest(
            f"{facts.class_said}: spec.{where}.{min(fields)} is filled in from the component and "
            "cannot be set by a class"
        )


def _version(facts: ReleaseFacts, kind: str) -> str:
    plane, found = facts.data_plane, _capabilities(facts)
    if plane.status.checked is None:
        return _STABLE
    if not found.gateway_api:
        raise InvalidRequest(
            f"{facts.component.name} has a public endpoint, and data plane {plane.name} has no "
            "Gateway API: install it with a gateway, or set the endpoint's visibility"
        )
    if not found.route_kinds:
        return _STABLE
    versions = dict(one.split("/", 1) for one in found.route_kinds)
    if kind not in versions:
        raise InvalidRequest(
            f"{facts.component.name} needs a {kind}, and the Gateway API of data plane "
            f"{plane.name} has {', '.join(sorted(versions))} only"
        )
    return versions[kind]


def _capabilities(facts: ReleaseFacts) -> PlaneCapabilities:
    return facts.data_plane.status.capabilities

"""Which policy a component gets on its plane, and what that policy cannot say."""

from __future__ import annotations

from typing import Any

from domain.dependencies import Dependency
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.network.cilium import cilium_policy
from domain.rendering.network.kubernetes import kubernetes_policy
from domain.resources.class_parts import HealthRule
from domain.resources.environment import ProbePolicy
from domain.resources.workload import EndpointType

_MUTUAL = range(14, 20)
"""Minor versions of Cilium 1 that know mutual authentication and have not deprecated it."""
_VALID = HealthRule(
    api_version="cilium.io/v2",
    kind="CiliumNetworkPolicy",
    ready="object.status.conditions.exists(c, c.type == 'Valid' && c.status == 'True')",
    failed="object.status.conditions.exists(c, c.type == 'Valid' && c.status == 'False')",
    message="'CiliumNetworkPolicy ' + object.metadata.name",
)


def component_policy(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns what the component's pods may receive and send, in words that the plane knows.

    Raises:
        InvalidRequest: A connection leads nowhere yet, or says what the plane cannot enforce.
    """
    for one in facts.interfaces.dependencies:
        _check(facts, one)
    _check_probes(facts)
    if facts.data_plane.spec.network.policies == "Cilium":
        return cilium_policy(facts)
    return kubernetes_policy(facts)


def notes(facts: ReleaseFacts) -> tuple[str, ...]:
    """Returns what the plane's policies cannot say, and what they say instead."""
    network = facts.data_plane.spec.network
    if network.policies == "Cilium":
        return ()
    return tuple(
        f"Connection {one.connection}: NetworkPolicy knows no host names, so port {one.port} is "
        f"open to every address outside, not to {one.host} only"
        for one in facts.interfaces.dependencies
        if one.host
    )


def policy_health(facts: ReleaseFacts) -> tuple[HealthRule, ...]:
    """Returns how it is told that the plane took the policy: Cilium checks it after its apply."""
    return (_VALID,) if facts.data_plane.spec.network.policies == "Cilium" else ()


def _check_probes(facts: ReleaseFacts) -> None:
    asked, plane = facts.environment.spec.network.probes, facts.data_plane
    if asked is not ProbePolicy.OFF and not plane.spec.network.probe_image:
        raise InvalidRequest(
            f"environment {facts.environment.name} asks for probes (spec.network.probes: {asked}), "
            f"and data plane {plane.name} has no image for them: set its spec.network.probeImage"
        )


def _check(facts: ReleaseFacts, one: Dependency) -> None:
    network, plane = facts.data_plane.spec.network, facts.data_plane.name
    who = f"Connection {one.connection}"
    if not one.is_found:
        raise InvalidRequest(f"{who}: {one.message}", facts={"reason": "ReferenceMissing"})
    if one.host and network.policies != "Cilium" and network.host_names == "Refuse":
        raise InvalidRequest(
            f"{who} leads to host {one.host}, and the policies of data plane {plane} know no host "
            "names: name addresses in spec.target.cidr, or set spec.network.hostNames of the plane"
        )
    if one.system and network.policies != "Cilium" and not network.api_server_addresses:
        raise InvalidRequest(
            f"{who} leads to the API server, which the policies of data plane {plane} know by "
            "address only: name its addresses in spec.network.apiServerAddresses of the plane"
        )
    if one.is_mutual:
        _check_mutual(facts, one)
    if not one.requests:
        return
    if network.policies != "Cilium" or not network.envoy:
        raise InvalidRequest(
            f"{who} allows certain requests only, and data plane {plane} cannot look into requests "
            "(spec.network: Cilium with Envoy): a rule nobody enforces would let all through"
        )
    if one.system:
        raise InvalidRequest(
            f"{who} allows certain requests only, and nobody looks into those to the API server"
        )
    if one.component and not (one.type.is_http or one.type is EndpointType.GRPC):
        raise InvalidRequest(
            f"{who} allows certain requests only, and endpoint {one.endpoint} of {one.component} "
            f"speaks {one.type}"
        )


def _check_mutual(facts: ReleaseFacts, one: Dependency) -> None:
    """Cilium's successor of its deprecated field, ztunnel, encrypts before policies see ports.

    So there is nothing to say from 1.20 on that leaves the rest of the policy in force.
    """
    network, plane = facts.data_plane.spec.network, facts.data_plane.name
    who = f"Connection {one.connection} demands mutual authentication"
    if not one.component:
        raise InvalidRequest(f"{who}, which is between components only, not with {one.target}")
    if network.policies != "Cilium" or not network.cilium_version:
        raise InvalidRequest(
            f"{who}, and data plane {plane} is not known to have a Cilium that can "
            "(spec.network: policies Cilium and ciliumVersion, from 1.14 to 1.19)"
        )
    minor = int(network.cilium_version.partition(".")[2])
    if minor not in _MUTUAL:
        raise InvalidRequest(
            f"{who}, which no policy of Cilium {network.cilium_version} on data plane {plane} can "
            "say: it takes 1.14 to 1.19. Since 1.20 it is deprecated, and policies about ports do "
            "not work with ztunnel in its place"
        )

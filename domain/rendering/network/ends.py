"""What both kinds of policy are made of: who calls whom at which port, sorted."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from domain import ids
from domain.dependencies import Dependency
from domain.dependencies.resolving import HTTPS_PORT
from domain.rendering.facts import ReleaseFacts

NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53
_API_SERVER_PORT = 6443
_DNS_LABELS = {"k8s-app": "kube-dns"}


def called(facts: ReleaseFacts) -> Sequence[Dependency]:
    """Returns what the component calls, each thing once, whatever connections lead to it.

    Mutual authentication that one connection demands holds for all that lead to the same.
    """
    declared = facts.interfaces.dependencies
    mutual = {(one.component, one.port) for one in declared if one.is_mutual}
    found = {
        (one.component, one.endpoint, one.host, one.cidr, one.system, one.port, one.requests): (
            one.model_copy(update={"is_mutual": True})
            if (one.component, one.port) in mutual
            else one
        )
        for one in sorted(declared, key=lambda one: one.connection)
    }
    return sorted(found.values(), key=lambda one: (one.target, one.port, one.connection))


def namespace_of(facts: ReleaseFacts, dependency: Dependency) -> str:
    """Returns the namespace of the component that is called, in the same environment."""
    return ids.namespace(facts.organization, dependency.project, facts.environment.name)


def dns_pods(facts: ReleaseFacts) -> tuple[str, dict[str, str]]:
    """Returns namespace and labels of the cluster's name servers."""
    network = facts.data_plane.spec.network
    return network.dns_namespace or "kube-system", dict(network.dns_labels) or _DNS_LABELS


def dns_blocks(facts: ReleaseFacts) -> list[str]:
    """Returns the addresses of name servers that are no pods, as ranges of one."""
    addresses = [ip_address(each) for each in facts.data_plane.spec.network.dns_addresses]
    return sorted(f"{each}/{each.max_prefixlen}" for each in addresses)


def ports_of(dependency: Dependency) -> list[int]:
    """Returns the ports at which something is called.

    Agents look at a call to the API server before or after its Service was taken apart.
    """
    if dependency.system and dependency.port == HTTPS_PORT:
        return [HTTPS_PORT, _API_SERVER_PORT]
    return [dependency.port]


def api_server_blocks(facts: ReleaseFacts) -> list[str]:
    """Returns the addresses of the API server, as ranges of one."""
    addresses = [ip_address(each) for each in facts.data_plane.spec.network.api_server_addresses]
    return sorted(f"{each}/{each.max_prefixlen}" for each in addresses)

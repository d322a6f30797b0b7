"""Addresses of one stack: the link between the machine and the stack's node, pods and services.

The node of a full stack lives in a network namespace of its own, joined to the machine by one veth
pair. Each stack gets an index, and with it a link and a pod range no other stack uses.
"""

import ipaddress
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from devstack.errors import DevstackError

SLOTS = 40


@dataclass(frozen=True, slots=True)
class NodeNetwork:
    """The addresses that follow from the index of a stack."""

    index: int

    @property
    def link(self) -> str:
        """The network of the veth pair."""
        return f"10.190.{self.index}.0/24"

    @property
    def host(self) -> str:
        """The machine's end of the veth pair: where pods and the node reach host processes."""
        return f"10.190.{self.index}.1"

    @property
    def node(self) -> str:
        """The node's end of the veth pair: where the machine reaches kubelet and node ports."""
        return f"10.190.{self.index}.2"

    @property
    def pods(self) -> str:
        """The pod range, unique to the stack, so that the machine can route to it."""
        return f"10.{200 + self.index}.0.0/16"

    @property
    def services(self) -> str:
        """The service range; it exists only inside the namespace of the node."""
        return "10.96.0.0/16"

    @property
    def dns(self) -> str:
        """The cluster address of the cluster DNS."""
        return "10.96.0.10"

    @property
    def api_service(self) -> str:
        """The cluster address of the `kubernetes` service."""
        return "10.96.0.1"


def choose_network(seed: str, is_taken: Callable[[NodeNetwork], bool]) -> NodeNetwork:
    """Picks the first free index, starting from one that depends on the stack alone.

    Raises:
        DevstackError: every index is in use.
    """
    first = zlib.crc32(seed.encode()) % SLOTS
    for offset in range(SLOTS):
        network = NodeNetwork((first + offset) % SLOTS)
        if not is_taken(network):
            return network
    message = f"all {SLOTS} stack networks 10.190.0-{SLOTS - 1}.0/24 are in use; take a stack down"
    raise DevstackError(message)


def is_in_use(network: NodeNetwork) -> bool:
    """Tells whether an interface of this machine has an address in the link or the pod range."""
    ranges = [ipaddress.ip_network(network.link), ipaddress.ip_network(network.pods)]
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family.name == "AF_INET" and any(
                ipaddress.ip_address(address.address) in range_ for range_ in ranges
            ):
                return True
    return False

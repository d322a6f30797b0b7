"""What every profile is given: who the stack is, where it keeps things, which programs it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from devstack.network import NodeNetwork
from devstack.pki import Pki
from devstack.ports import Ports
from devstack.state import StateDir


class Programs(Protocol):
    """Where the programs of a stack are, once acquired."""

    def path(self, name: str) -> Path:
        """The executable, or file, of that name; raises `DevstackError` when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class StackContext:
    """Everything a profile may use to describe its parts.

    `ports[name]` chooses and remembers a port on first use. `pki.issue(...)` returns the same
    certificate until it is near its end. `network` holds the addresses of the node's link.
    """

    name: str
    profile: str
    platform: bool
    state: StateDir
    ports: Ports
    programs: Programs
    pki: Pki
    network: NodeNetwork
    settings: Mapping[str, str] = field(default_factory=dict)
    """What a person set for this stack, by PAVANE_STACK_* variable name without the prefix."""

    @property
    def is_full(self) -> bool:
        """Whether the stack has a node."""
        return self.profile == "full"

    @property
    def is_ha(self) -> bool:
        """Whether Temporal is several services on PostgreSQL, and Pavane is two of each process."""
        return self.profile == "ha"

    @property
    def reachable_host(self) -> str:
        """The address host processes listen on when the node or its pods must reach them."""
        return self.network.host if self.is_full else "127.0.0.1"

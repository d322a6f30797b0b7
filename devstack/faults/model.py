"""What a fault is: what breaks, how it is begun, how it is undone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from devstack.context import StackContext

if TYPE_CHECKING:  # it brings an HTTP server, which only a supervisor with a fault needs
    from devstack.faults.gate import Gate


class Manner(StrEnum):
    """How the gate misbehaves."""

    SILENT = "silent"
    """Takes requests and answers nothing, as when packets are lost."""
    SLOW = "slow"
    """Answers two seconds later."""
    BUSY = "busy"
    """429 to everything, with Retry-After."""
    CONFLICTING = "conflicting"
    """409 to changes, as when somebody else always writes first."""
    BROKEN = "broken"
    """500 to everything."""


class Controls(Protocol):
    """What a fault may do to one component of the stack."""

    async def hold(self) -> None:
        """Stops the process and keeps it down."""

    def resume(self) -> None:
        """Starts it again."""

    def kill(self) -> None:
        """Kills it; it is started again."""

    def freeze(self) -> None:
        """Lets it stand still: it keeps its connections and answers nothing."""

    def thaw(self) -> None:
        """Lets it go on."""

    async def wait_ready(self) -> None:
        """Returns when it is ready."""

    def reconfigure(self, **variables: str) -> None:
        """Adds to its environment from the next start on."""

    async def restart(self) -> None:
        """Stops it in order; it is started again."""


class World(Protocol):
    """What a fault may touch."""

    @property
    def context(self) -> StackContext:
        """The stack."""

    def component(self, name: str) -> Controls:
        """One component; raises `DevstackError` when the stack has none of that name."""

    async def gate(self) -> "Gate":
        """The gate between worker and API server, put there when it is not yet."""


Act: TypeAlias = Callable[[World, str], Awaitable[None]]
"""Idempotent work on the world, and on the target when the fault has one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the world breaks."""

    name: str
    family: str
    breaks: str
    """What is broken while it lasts, in words."""
    undone: str
    """How that ends, in words."""
    begin: Act
    end: Act | None = None
    """None: it happens in a moment, there is nothing to undo."""
    profile: str = "core"
    """The smallest stack that has what it breaks."""
    target: str = ""
    """What `--on` names; empty: it takes no target."""
    outlives: bool = False
    """What it did stays when all processes of the stack end, so it is undone before they do."""

    @property
    def is_momentary(self) -> bool:
        """Whether it happens once and leaves nothing to undo."""
        return self.end is None


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that lasts now."""

    name: str
    target: str = ""
    until: float | None = None
    """Seconds since the epoch; None: until somebody ends it."""

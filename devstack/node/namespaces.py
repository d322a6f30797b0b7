"""How parts of the stack run inside the node: everything that must know which process holds it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.component import CallProbe
from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.node.layout import NodeFolders


@dataclass(frozen=True, slots=True)
class Node:
    """The node of one stack, as the machine sees it."""

    name: str
    folders: NodeFolders
    holder: Path
    """Written while the node's namespaces exist: the id of the first process in them."""

    def pid(self) -> int:
        """The machine's id of the first process of the node.

        Raises:
            DevstackError: the node is not there.
        """
        try:
            return int(self.holder.read_text())
        except FileNotFoundError:
            message = "the namespaces of the node do not exist; the part named node is down"
            raise DevstackError(message) from None

    def inside(self, *argv: str) -> Callable[[], Sequence[str]]:
        """The command, to be run in all namespaces of the node."""
        return lambda: [*self._enter("--mount", "--net", "--pid", "--ipc", "--uts"), *argv]

    def in_network(self, *argv: str) -> Callable[[], Sequence[str]]:
        """The command, to be run with the machine's files but in the node's network."""
        return lambda: [*self._enter("--net"), *argv]

    def listens(self, socket: Path) -> CallProbe:
        """Ready when a Unix socket of the node, by its path inside, accepts a connection."""
        return CallProbe(f"{socket} of the node", lambda: self._accepts(socket))

    def _enter(self, *namespaces: str) -> Sequence[str]:
        return ["nsenter", "--target", str(self.pid()), *namespaces, "--"]

    async def _accepts(self, socket: Path) -> bool:
        try:
            outside = Path(f"/proc/{self.pid()}/root") / socket.relative_to("/")
            _, writer = await asyncio.open_unix_connection(outside)
        except (DevstackError, OSError):
            return False
        writer.close()
        return True


def node_of(context: StackContext) -> Node:
    """The node of a stack."""
    root = context.state.data / "node"
    return Node(f"{context.name}-node", NodeFolders(root), context.state.run / "node.pid")

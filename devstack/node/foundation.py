"""The ground of the node: its namespaces, its control groups, its link and its way out."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.component import CallProbe, Component, FileProbe, Part
from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.node.cgroups import Cgroups
from devstack.node.layout import EGRESS_DEVICE, NodeFolders
from devstack.node.names import EGRESS, NODE
from devstack.node.namespaces import Node, node_of

RESOLVER = "10.0.2.3"
"""The name server that the way out offers to the node and its pods."""

_TUN = Path("/dev/net/tun")
_SOURCES = Path(__file__).resolve().parents[2]


def parts(context: StackContext) -> Sequence[Part]:
    """The holder of the namespaces, and the way out where the machine can offer one."""
    return [_holder(context), _egress(node_of(context))] if has_egress() else [_holder(context)]


def has_egress() -> bool:
    """Tells whether pods can reach what this machine reaches; they need a tunnel device for it."""
    return _TUN.exists()


def cgroups_of(context: StackContext) -> Cgroups:
    """The control groups of the stack's node."""
    return Cgroups(f"pavane-{context.network.index}")


def link_name(context: StackContext) -> str:
    """The machine's interface to the node."""
    return f"pavane{context.network.index}"


def _holder(context: StackContext) -> Component:
    node, network = node_of(context), context.network
    return Component(
        name=NODE,
        argv=(
            sys.executable,
            "-m",
            "devstack.node.holder",
            f"--folder={node.folders.root}",
            f"--ready={node.holder}",
            f"--host-name={node.name}",
            f"--link={link_name(context)}",
            f"--host-address={network.host}",
            f"--node-address={network.node}",
            f"--pods={network.pods}",
        ),
        ready=FileProbe(node.holder),
        cwd=_SOURCES,
        before_start=lambda: _prepare(context, node.folders),
        after_stop=lambda: _clean(context, node),
    )


async def _prepare(context: StackContext, folders: NodeFolders) -> None:
    folders.create()
    (folders.config / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    await _clean(context, node_of(context))
    cgroups_of(context).create()


async def _clean(context: StackContext, node: Node) -> None:
    """Removes what the kernel does not remove with the last process of the node."""
    node.holder.unlink(missing_ok=True)
    await cgroups_of(context).remove()
    # The namespaces take the link with them, but a moment later than their last process.
    process = await asyncio.create_subprocess_exec(
        *("ip", "link", "delete", link_name(context)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()


def _egress(node: Node) -> Component:
    """Connects the node to the machine's networks in user space: nothing on the machine changes."""
    return Component(
        name=EGRESS,
        argv=lambda: [
            "slirp4netns",
            "--configure",
            "--disable-host-loopback",
            "--mtu=1500",
            str(node.pid()),
            EGRESS_DEVICE,
        ],
        needs=(NODE,),
        ready=CallProbe("the way out of the node", lambda: _has_device(node)),
    )


async def _has_device(node: Node) -> bool:
    return EGRESS_DEVICE in _routes(node)


def _routes(node: Node) -> str:
    with contextlib.suppress(DevstackError, OSError):
        return Path(f"/proc/{node.pid()}/net/route").read_text()
    return ""

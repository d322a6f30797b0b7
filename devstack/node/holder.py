"""Program that holds the namespaces of a node: its processes, mounts, network and host name.

The program itself stays on the machine's side and owns the link; its child is process 1 of the
node. When the program ends, for whatever reason, the kernel ends every process of the
node, and with the last of them go its mounts, its interfaces, its packet filter rules and the link.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from devstack.files import write_atomically
from devstack.node import kernel
from devstack.node.layout import EGRESS_DEVICE, NODE_FOLDER, NodeFolders

_NODE_NAMESPACES = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
)
_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/route_localnet": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}
_UPLINK = "uplink"


def main() -> int:
    """Builds the node's namespaces, writes the process id of its first process, and waits."""
    options = _parser().parse_args()
    options.ready.unlink(missing_ok=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
    to_child, to_parent = os.pipe(), os.pipe()
    kernel.unshare(kernel.CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        os.close(to_child[1])
        os.close(to_parent[0])
        return _be_first_process(options, wait=to_child[0], tell=to_parent[1])
    os.close(to_child[0])
    os.close(to_parent[1])
    kernel.enter_own_processes()
    return _hold(options, child, tell=to_child[1], wait=to_parent[0])


def _hold(options: argparse.Namespace, child: int, *, tell: int, wait: int) -> int:
    try:
        if os.read(wait, 1):
            _make_link(options, child)
            os.write(tell, b"l")
        if os.read(wait, 1):
            write_atomically(options.ready, f"{child}\n")
            _wait_for_end(child)
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        options.ready.unlink(missing_ok=True)
    return 0


def _wait_for_end(child: int) -> None:
    """Returns when told to end, or when the node's first process ended."""
    while signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}) == signal.SIGCHLD:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return


def _make_link(options: argparse.Namespace, child: int) -> None:
    """Joins machine and node by a pair of interfaces; what is left of an old one is removed."""
    subprocess.run(
        ["ip", "link", "delete", options.link],
        check=False,
        capture_output=True,
    )
    _ip("link", "add", options.link, "type", "veth", "peer", "name", _UPLINK, "netns", str(child))
    _ip("address", "add", f"{options.host_address}/24", "dev", options.link)
    _ip("link", "set", options.link, "up")
    _ip("route", "replace", options.pods, "via", options.node_address, "dev", options.link)


def _be_first_process(options: argparse.Namespace, *, wait: int, tell: int) -> int:
    kernel.die_with_parent(signal.SIGKILL)
    kernel.unshare(_NODE_NAMESPACES)
    os.write(tell, b"n")
    if not os.read(wait, 1):
        return 1
    kernel.set_host_name(options.host_name)
    _mount_own_places(options.folder)
    _set_up_network(options)
    os.write(tell, b"r")
    os.close(tell)
    while True:
        signal.sigwait({signal.SIGCHLD})
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _mount_own_places(folder: Path) -> None:
    """Gives the node its own /run, /var/log and /var/lib on top of the machine's files.

    All programs of the node can so use the paths they know, and nothing appears on the machine.
    """
    kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_SLAVE)
    kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_SHARED)
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    state = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    kernel.mount("tmpfs", "/run", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    NODE_FOLDER.mkdir()
    # The folder may itself lie below /run, which is hidden by now: reach it through the open file.
    kernel.mount(f"/proc/self/fd/{state}", str(NODE_FOLDER), "none", kernel.MS_BIND)
    os.close(state)
    _overlay("/var/lib")
    for source, target in NodeFolders(NODE_FOLDER).binds().items():
        target.mkdir(parents=True, exist_ok=True)
        kernel.mount(str(source), str(target), "none", kernel.MS_BIND)


def _overlay(target: str) -> None:
    """Shows a folder of the machine, with changes kept in memory."""
    upper, work = Path("/run/overlay/upper"), Path("/run/overlay/work")
    upper.mkdir(parents=True)
    work.mkdir()
    layers = f"lowerdir={target},upperdir={upper},workdir={work}"
    kernel.mount("overlay", target, "overlay", 0, layers)


def _set_up_network(options: argparse.Namespace) -> None:
    _ip("link", "set", "lo", "up")
    _ip("address", "add", f"{options.node_address}/24", "dev", _UPLINK)
    _ip("link", "set", _UPLINK, "up")
    for name, value in _SYSCTLS.items():
        setting = Path("/proc/sys") / name
        if setting.exists():
            setting.write_text(value)
    # Only what leaves through the way out is translated: the machine itself sees pods as they are.
    masquerade = f"-t nat -A POSTROUTING -s {options.pods} -o {EGRESS_DEVICE} -j MASQUERADE"
    _run("iptables", "--wait", *masquerade.split())


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the node's files")
    parser.add_argument("--ready", type=Path, required=True, help="gets the first process's id")
    parser.add_argument("--host-name", required=True)
    parser.add_argument("--link", required=True, help="name of the machine's interface")
    parser.add_argument("--host-address", required=True)
    parser.add_argument("--node-address", required=True)
    parser.add_argument("--pods", required=True, help="the range of the pods' addresses")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Where the node keeps its files: on the machine, and as its own processes see them."""

from dataclasses import dataclass
from pathlib import Path

NODE_FOLDER = Path("/run/node")
"""The node's folder of the stack, as seen inside the node."""

EGRESS_DEVICE = "egress"
"""The node's interface towards networks outside the machine."""

CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
"""As seen inside the node; /run there is the node's own."""


@dataclass(frozen=True, slots=True)
class NodeFolders:
    """The folders of a node below one root; the same names on the machine and inside."""

    root: Path

    @property
    def config(self) -> Path:
        """Configuration of containerd, the kubelet, kube-proxy and the pod network."""
        return self.root / "config"

    @property
    def networks(self) -> Path:
        """Configuration of the pod network."""
        return self.config / "net.d"

    @property
    def registries(self) -> Path:
        """How containerd reaches registries, one folder a host."""
        return self.config / "certs.d"

    def binds(self) -> dict[Path, Path]:
        """Folders that take the place of well-known ones inside the node."""
        return {
            self.root / "containerd": Path("/var/lib/containerd"),
            self.root / "kubelet": Path("/var/lib/kubelet"),
            self.root / "log": Path("/var/log"),
        }

    def create(self) -> None:
        """Creates the folders; safe to repeat."""
        for folder in (self.config, self.networks, self.registries, *self.binds()):
            folder.mkdir(parents=True, exist_ok=True)

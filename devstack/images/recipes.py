"""What goes into each image; its name in the cache changes whenever that does."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from devstack.images.names import (
    BUILDER_REPOSITORY,
    BUILDER_TAG,
    PYTHON_REPOSITORY,
    PYTHON_VERSION,
)
from devstack.programs.catalogue import catalogue

SUITE = "bookworm"
_FORMAT = 4
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_COMMON = (
    "base-files",
    "ca-certificates",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "gzip",
    "libc-bin",
    "netbase",
    "sed",
    "tar",
)
_NEVER = (
    "/usr/lib/*/gconv/*",
    "/usr/share/bash-completion/*",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)
_ACCOUNTS = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "app:x:1000:1000:app:/home:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
    ),
    "etc/group": "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_STORAGE = """[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image made by unpacking Debian packages; none of their scripts is run."""

    repository: str
    tag: str
    packages: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    """Programs of the stack by the path they get in the image."""
    links: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ("mnt", "opt", "srv")
    """Folders that people expect, and that packages make only by their scripts."""
    environment: tuple[str, ...] = ()
    command: tuple[str, ...] = ("/bin/sh",)

    @property
    def key(self) -> str:
        """Names this very content in the cache."""
        pinned = [catalogue()[name].key for name in self.programs.values()]
        identity = [_FORMAT, SUITE, platform.machine(), asdict(self), pinned]
        content = json.dumps(identity, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def settings(self) -> dict[str, object]:
        """How containers of the image run unless told otherwise."""
        certificates = f"SSL_CERT_FILE={_CERTIFICATES}"
        return {"Env": [_PATH, certificates, *self.environment], "Cmd": list(self.command)}


PYTHON = Recipe(
    repository=PYTHON_REPOSITORY,
    tag=PYTHON_VERSION,
    packages=(*_COMMON, "python3", "python3-pip", "tzdata"),
    excluded=_NEVER,
    files=_ACCOUNTS,
    links={"usr/bin/python": "python3", "usr/bin/pip": "pip3"},
    environment=("LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PIP_BREAK_SYSTEM_PACKAGES=1"),
    command=("python3",),
)
"""A runtime for services in Python, small because each build unpacks it anew."""

BUILDER = Recipe(
    repository=BUILDER_REPOSITORY,
    tag=BUILDER_TAG,
    packages=(*_COMMON, "bash", "buildah", "git", "skopeo", "util-linux"),
    # Git needs Perl for few commands, none of them used in a build.
    excluded=(
        *_NEVER,
        "/usr/share/perl/*",
        "/usr/lib/*/perl/*",
        "/usr/lib/cni/*",
    ),
    files={**_ACCOUNTS, "etc/containers/storage.conf": _STORAGE},
    programs={"usr/local/bin/syft": "syft"},
    environment=("BUILDAH_ISOLATION=chroot", "LANG=C.UTF-8", "STORAGE_DRIVER=vfs"),
)
"""What a build runs in: git clones, buildah builds, syft lists what is inside; no privileges."""

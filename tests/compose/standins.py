"""Builds the images that stand in for public ones, of Debian's packages and the stack's own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from devstack.programs import Silent, ensure
from devstack.programs.store import default_root
from tests.compose.engine import Engine

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker/stand-ins"
PYTHON, DEBIAN = "pavane-test/python:3.11", "pavane-test/debian:1"
APPLICATION = "registry.example.test/web"
"""What the deployed component is; the node has it, so nobody is asked for it."""
STAND_INS = ("postgres", "temporal", "openbao", "k3s")
_COMMON = ("ca-certificates",)
_PACKAGES = {
    PYTHON: (*_COMMON, "python3", "python3-venv"),
    DEBIAN: (
        *_COMMON,
        *("conntrack", "containerd", "containernetworking-plugins", "iproute2", "iptables", "kmod"),
        *("netcat-openbsd", "openssl", "postgresql-15", "procps", "runc", "wget"),
    ),
}
_UNWANTED = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")


def bundle() -> Path:
    """The authorities this machine believes, its own among them."""
    return Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))


def build(engine: Engine) -> None:
    """Makes every image that docker/compose.test.yml names, and the base of Pavane's own."""
    for image in (PYTHON, DEBIAN):
        base(engine, image)
    with tempfile.TemporaryDirectory(dir=engine.folder) as name:
        context = Path(name) / "context"
        shutil.copytree(FOLDER, context)
        _programs(context / "programs")
        _node_images(engine, context)
        for target in STAND_INS:
            _build(engine, context, target)


def base(engine: Engine, image: str) -> None:
    """Makes one of the two bases."""
    engine.docker("import", str(_base(image)), image)


def _build(engine: Engine, context: Path, target: str) -> None:
    tag = f"pavane-test/{target}:1"
    engine.docker("build", "--quiet", "--target", target, "--tag", tag, str(context))


def _base(image: str) -> Path:
    """The root file system of a base, made once for each list of packages."""
    wanted = json.dumps([image, _PACKAGES[image], _UNWANTED]).encode()
    key = hashlib.sha256(wanted).hexdigest()[:16]
    tar = default_root().parent / "test-bases" / f"{key}.tar"
    if tar.exists():
        return tar
    ensure(["mmdebstrap"], progress=Silent())
    tar.parent.mkdir(parents=True, exist_ok=True)
    partial = tar.with_suffix(".partial.tar")
    hooks = ['--customize-hook=ln -s python3 "$1/usr/bin/python"'] if image == PYTHON else []
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--aptopt=Acquire::Languages none"),
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in _UNWANTED),
            *hooks,
            f"--include={','.join(_PACKAGES[image])}",
            *("bookworm", str(partial)),
        ],
        check=True,
        timeout=900,
    )
    return partial.rename(tar)


def _programs(folder: Path) -> None:
    folder.mkdir()
    found = ensure(
        ["kubernetes", "temporal", "temporal-server", "openbao", "gateway-api-crds", "pause"],
        progress=Silent(),
    )
    for program, name in (
        ("kubernetes", "pavane-kube"),
        ("temporal", "temporal"),
        ("temporal-server", "temporal-server"),
        ("temporal-server", "temporal-sql-tool"),
        ("openbao", "bao"),
        ("pause", "pause"),
    ):
        shutil.copy(found[program].files[name], folder / name)
    (folder / "gateway-api").mkdir()
    for name, path in found["gateway-api-crds"].files.items():
        shutil.copy(path, folder / "gateway-api" / name)


def _node_images(engine: Engine, context: Path) -> None:
    """What pods are made of: the node cannot pull, so it has them from the start."""
    folder = context / "programs/images"
    folder.mkdir()
    _build(engine, context, "pause")
    engine.docker("tag", "pavane-test/pause:1", "registry.example.test/pause:1")
    engine.docker("tag", PYTHON, f"{APPLICATION}:1")
    for name in ("registry.example.test/pause:1", f"{APPLICATION}:1"):
        file = folder / f"{name.rpartition('/')[2].replace(':', '-')}.tar"
        engine.docker("save", "--output", str(file), name)

"""Reads `devstack/versions.toml`, the one file that pins every program."""

import hashlib
import json
import platform
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from devstack.programs.model import (
    Cost,
    Debian,
    GoBuild,
    GoFiles,
    ProgramSpec,
    Release,
    Source,
    Wheel,
)

VERSIONS = Path(__file__).parent.parent / "versions.toml"
MODULES = Path(__file__).parent.parent / "go"
MEGABYTE = 1_000_000
_KINDS = ("release", "go", "files", "pypi", "debian")

CORE = ("kubernetes", "temporal", "openbao")
"""What a control plane needs: no root, no package of the distribution."""

HA = (*CORE, "postgresql", "temporal-server")
"""What a control plane needs whose Temporal is several services on PostgreSQL."""

FULL = (
    *CORE,
    "argo",
    "argo-crds",
    "cilium-crds",
    "coredns",
    "gateway-api-crds",
    "metrics-server",
    "pause",
    "policy-enforcer",
    "traefik",
    "buildah",
    "cni-plugins",
    "conntrack",
    "containerd",
    "docker-registry",
    "git",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "prometheus",
    "runc",
    "slirp4netns",
    "syft",
)
"""What a control plane with a node needs."""

PROFILES = {"core": CORE, "ha": HA, "full": FULL}
"""What the stack of each profile needs."""


@cache
def catalogue() -> Mapping[str, ProgramSpec]:
    """All programs by name, whether or not they are on this machine."""
    pinned = tomllib.loads(VERSIONS.read_text())["programs"]
    return MappingProxyType({name: read_spec(name, table) for name, table in pinned.items()})


@cache
def minimum_go() -> str:
    """The oldest Go that compiles every module."""
    minimum: str = tomllib.loads(VERSIONS.read_text())["go"]["minimum"]
    return minimum


def machine() -> str:
    """The processor of this machine as checksums name it."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def read_spec(name: str, table: Mapping[str, Any], modules: Path = MODULES) -> ProgramSpec:
    """Reads one table of the file; `key` changes whenever the content would."""
    sources = tuple(_source(kind, table[kind], modules) for kind in _KINDS if kind in table)
    cost = table["cost"]
    return ProgramSpec(
        name=name,
        version=table["version"],
        summary=table["summary"],
        main=table.get("main", ""),
        sources=sources,
        cost=Cost(
            typical=timedelta(seconds=cost["seconds"]),
            kept=cost["kept"] * MEGABYTE,
            work=cost.get("work", 0) * MEGABYTE,
            memory=cost.get("memory", 0) * MEGABYTE,
        ),
        key=f"{table['version']}-{_digest(table, sources)}",
    )


def _digest(table: Mapping[str, Any], sources: tuple[Source, ...]) -> str:
    defining = {kind: table[kind] for kind in _KINDS if kind in table}
    digest = hashlib.sha256(json.dumps([machine(), defining], sort_keys=True).encode())
    for source in sources:
        if isinstance(source, GoBuild):
            for file in _files_of(source):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _files_of(source: GoBuild) -> list[Path]:
    """Returns the files of our own that a build depends on: those of the module and its packages.

    Programs that share a module differ in their packages; a change of one leaves the others alone.
    """
    own = {source.module / package for package in source.packages.values()}
    folders = {source.module} | {folder for folder in own if folder.is_dir()}
    return sorted(path for folder in folders for path in folder.iterdir() if path.is_file())


def _source(kind: str, table: Mapping[str, Any], modules: Path) -> Source:
    match kind:
        case "release":
            return Release(url=table["url"], sha256=table["sha256"], files=table["files"])
        case "go":
            return GoBuild(
                module=modules / table["module"],
                packages=table["packages"],
                links=table.get("links", {}),
                variables=table.get("variables", {}),
                restored=table.get("restored", {}),
            )
        case "files":
            return GoFiles(
                module=table["module"],
                version=table["version"],
                sum=table["sum"],
                include=tuple(table["include"]),
            )
        case "debian":
            return Debian(
                packages=tuple(table["packages"]),
                files=table["files"],
                services=tuple(table.get("services", ())),
            )
        case _:
            return Wheel(
                project=table["project"],
                version=table["version"],
                sha256=table["sha256"],
                files=table["files"],
                tree=table.get("tree", ""),
            )

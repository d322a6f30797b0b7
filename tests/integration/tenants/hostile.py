"""Two organizations on one installation, and what one has in its hands against the other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.planes.rollouts import RolloutActivities
from activities.releases.rendering import ReleaseActivities
from clients.kubernetes import Cluster, Kind
from domain.errors import PlatformError

ALPHA, BETA = "alpha", "beta"
"""Alpha's people try to reach what is of beta."""
VALUABLE = "beta-valuable"
"""Stands in everything of beta: no answer to alpha may hold it."""
API_VERSION = "choreo.dev/v1alpha1"
GROUP_KINDS = {
    "Component": "components",
    "Organization": "organizations",
    "DeployableArtifact": "deployableartifacts",
    "ServiceBinding": "servicebindings",
}


@dataclass
class Hands:
    """What a person of alpha has: a token of the API, kubectl, the command line."""

    name: str
    api: httpx.AsyncClient
    kubectl: Cluster
    url: str
    folder: Path

    async def pavane(self, *arguments: str) -> str:
        """Runs the command line; returns all it said. It must fail."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "PAVANE_API__URL": self.url,
            "PAVANE_TOKEN": self.name,
            "PAVANE_CONFIG_DIR": str(self.folder),
            "HOME": str(self.folder),
        }
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", *arguments],
            cwd=Path(__file__).parents[3],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr


@dataclass
class Scene:
    """Everything there is: the people, the platform's own parts, the cluster as its owner."""

    developer: Hands
    admin: Hands
    """An administrator of alpha, not of the installation."""
    cluster: Cluster
    releases: ReleaseActivities
    rollouts: RolloutActivities
    client: Any
    extra: dict[str, Any] = field(default_factory=dict)


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Try:
    """One thing somebody of alpha does to reach beta."""

    way: str
    """How: API, command line, kubectl, or a crafted resource."""
    what: str
    meets: str
    """What it meets, for the page."""
    act: Act


TRIES: list[Try] = []


def attempt(way: str, what: str, meets: str) -> Callable[[Act], Act]:
    """Registers a try; it raises AssertionError when it reached something."""

    def register(act: Act) -> Act:
        TRIES.append(Try(way, what, meets, act))
        return act

    return register


async def refused(asked: Awaitable[Any], *errors: type[PlatformError]) -> str:
    """Expects that Kubernetes or the platform refuses; returns what was said."""
    with pytest.raises(errors) as met:
        await asked
    assert VALUABLE not in met.value.message
    return met.value.message


def unseen(answer: httpx.Response, *codes: int) -> None:
    """Expects an answer that gives nothing away."""
    assert answer.status_code in (codes or (404,)), (answer.status_code, answer.text)
    assert VALUABLE not in answer.text


def resource(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def kind(name: str, plural: str, *, namespaced: bool = True, api: str = API_VERSION) -> Kind:
    return Kind(api, name, plural, namespaced=namespaced)

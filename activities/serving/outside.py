"""The outside systems of one process, and what a task queue serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from activities.promotions.enforcement import Standings
from activities.promotions.standing import DeployQueues as Orders
from activities.releases.drift import DeployQueues as Places
from clients.assertions import AssertionVerifier
from clients.git import GitRemotes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.notifications import Notifier
from clients.objects import ObjectStore
from clients.records import Records
from clients.registry import Registry
from clients.web import Web
from settings import Settings

Activities = Sequence[Callable[..., Any]]


class Queues(Orders, Places, Protocol):
    """The queues of deployments, for all that ask them."""


@dataclass(frozen=True)
class Outside:
    """The outside systems of one process, each connected once."""

    settings: Settings
    cluster: Cluster
    watches: SharedWatches
    records: Records
    objects: ObjectStore
    registry: Registry
    git: GitRemotes
    notifier: Notifier
    web: Web
    decisions: AssertionVerifier
    queues: Queues
    standings: Standings

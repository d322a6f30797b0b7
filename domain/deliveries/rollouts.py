"""What is asked of a plane in the course of a deployment, and what it answers."""

from __future__ import annotations

from domain.deliveries.deployments import Bundle, HealthCheck
from domain.deliveries.wire import Wire


class ApplyRelease(Wire):
    """Asks the plane to make the objects so."""

    bundle: Bundle
    previous: Bundle = Bundle()
    """What it had and ``bundle`` has not is pruned."""
    force_conflicts: bool = False
    yields: bool = False
    """A field another manager owns is left to it, where it can be left out, instead of being an
    error: what is undone never had it, so a restore would take what was not its own."""
    organization: str = ""
    """Owner of the namespaces; one that belongs to somebody else is never written to."""
    holds_open: bool = False
    """What network policies would close stays open; whoever asks sees to it that it is closed when
    the pods of ``previous`` are gone."""


class CloseWays(Wire):
    """Asks the plane to close what was held open for pods of the release before."""

    bundle: Bundle
    policies: tuple[str, ...]
    """``Kind/name`` of the policies that were held open."""
    organization: str
    force_conflicts: bool = False
    deadline_seconds: int = 600
    """How long pods that were told to end are waited for; then it is closed all the same."""


class Applied(Wire):
    """What applying a release did."""

    applied: tuple[str, ...] = ()
    """``Kind/name`` of the objects that are as the release wants them."""
    pruned: tuple[str, ...] = ()
    yielded: tuple[str, ...] = ()
    """``Kind/name field`` of what was left to another manager."""
    held_open: tuple[str, ...] = ()
    """``Kind/name`` of the network policies that are still to be closed."""


class FollowRollout(Wire):
    """Asks the plane to wait until the objects of a release are ready."""

    bundle: Bundle
    only: tuple[str, ...] = ()
    """``Kind/name`` of the objects that are waited for; empty = all of the release."""
    health: tuple[HealthCheck, ...] = ()
    deadline_seconds: int = 600


class RolloutReady(Wire):
    """The objects of a release are ready."""

    replicas: int = 0
    message: str = ""

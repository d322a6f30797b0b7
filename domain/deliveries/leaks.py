"""What the response to leaked secrets is asked, shows and answers. References, never a value."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from domain.deliveries.rotations import PlaneConsumers
from domain.deliveries.wire import Trigger, Wire

MOST_SECRETS = 500
"""In one response; a project that has more is answered one environment after the other."""


class LeakRequest(Wire):
    """Turns over all secrets of a project that may be known to strangers."""

    organization: str
    project: str
    environment: str = ""
    """Only what is used there. Empty = in all environments."""
    reason: str = ""
    trigger: Trigger = Trigger()


class LeakRotation(Wire):
    """A SecretRotation by which a secret of the project can be turned over."""

    name: str
    path: str
    engine: str = ""
    approvers: tuple[str, ...] = ()
    """Groups it asks otherwise, before the old credential is locked."""


class LeakResources(Wire):
    """What the resources tell."""

    rotations: tuple[LeakRotation, ...] = ()
    planes: tuple[str, ...] = ()
    """Task queues of the planes."""


class ListSecrets(Wire):
    """Asks which secrets a project has."""

    organization: str
    project: str


class SecretPaths(Wire):
    """Paths of secrets."""

    paths: tuple[str, ...] = ()


class LeakEntry(Wire):
    """One secret that is turned over."""

    path: str
    rotation: str
    engine: str = ""
    consumers: tuple[str, ...] = ()
    """Who gets the new one, and begins anew with it, in this order."""
    skips: tuple[str, ...] = ()
    """Groups that are not asked although the SecretRotation says so."""
    expected: timedelta = timedelta()
    """How long it is expected to take."""


class ByHand(Wire):
    """A secret for which there is no SecretRotation: a person must replace it."""

    path: str
    consumers: tuple[str, ...] = ()


class LeakPlan(Wire):
    """What is done when it is confirmed."""

    entries: tuple[LeakEntry, ...] = ()
    """All are begun at once."""
    by_hand: tuple[ByHand, ...] = ()
    silent_planes: tuple[str, ...] = ()
    """Planes that did not answer: who uses what there is not known."""
    expected: timedelta = timedelta()
    """How long all of it is expected to take."""
    hash: str = ""
    """Of all of the above: what is confirmed is exactly this."""


class LeakFacts(Wire):
    """What a plan is made of."""

    resources: LeakResources = LeakResources()
    paths: tuple[str, ...] = ()
    consumers: tuple[PlaneConsumers, ...] = ()
    silent_planes: tuple[str, ...] = ()


class Confirmation(Wire):
    """A person's word for a plan."""

    plan: str
    """Hash of the plan that the person saw."""
    actor: str = ""


class LeakOutcome(StrEnum):
    """How one secret stands."""

    WAITING = "Waiting"
    RUNNING = "Running"
    REPLACED = "Replaced"
    """The leaked credential works no more."""
    FAILED = "Failed"
    """The leaked credential may still work."""


class LeakedSecret(Wire):
    """One secret in the report."""

    path: str
    rotation: str
    engine: str = ""
    outcome: LeakOutcome = LeakOutcome.WAITING
    before: int = 0
    """The version that leaked."""
    version: int = 0
    """The one in its place; 0 = none."""
    consumers: tuple[str, ...] = ()
    begun: datetime | None = None
    ended: datetime | None = None
    operation: str = ""
    """Workflow id of its rotation."""
    message: str = ""


class LeakReport(Wire):
    """What was done: the evidence of a response. Answer of the query ``report``."""

    organization: str
    project: str
    environment: str = ""
    reason: str = ""
    reported_by: str = ""
    reported_at: datetime | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    plan: LeakPlan = LeakPlan()
    awaits_confirmation: bool = False
    """The plan is made, and nothing was done yet."""
    secrets: tuple[LeakedSecret, ...] = Field((), max_length=MOST_SECRETS)
    message: str = ""

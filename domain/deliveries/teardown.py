"""What a teardown is asked, passes on and answers."""

from __future__ import annotations

from domain.deliveries.wire import Trigger, Wire


class TeardownRequest(Wire):
    """Takes down what a resource that is being deleted stands for, and lets it go."""

    organization: str
    kind: str
    name: str
    uid: str = ""
    """Exactly that resource, not a later one of its name. Empty = whichever there is."""
    seen: str = ""
    """Hash of what belongs to it and uses it, as the intake saw it."""
    trigger: Trigger = Trigger()


class PartRef(Wire):
    """Names one resource of the organization."""

    kind: str
    name: str
    uid: str = ""


class PlaneSweep(Wire):
    """What is to be gone from one plane."""

    organization: str
    plane: str
    task_queue: str
    namespaces: tuple[str, ...] = ()
    component: str = ""
    """Only the objects of this component. Empty = the namespaces themselves."""
    admission: bool = False
    """The organization's admission policies as well: nothing of it is left there."""


class PlaneLeft(Wire):
    """What is not gone yet."""

    left: tuple[str, ...] = ()
    """In words, with what holds it up; empty = nothing is left."""


class TeardownSurvey(Wire):
    """Where a teardown stands."""

    gone: bool = False
    """The resource does not exist any more, or is not being deleted."""
    users: tuple[str, ...] = ()
    """Who keeps it, in words."""
    remove: tuple[PartRef, ...] = ()
    """Parts whose turn it is and that nobody asked to delete yet."""
    pending: tuple[str, ...] = ()
    """Parts that are being deleted, in words with their reasons."""
    planes: tuple[PlaneSweep, ...] = ()
    """What is to be swept when no part of this wave is left."""


class DeleteParts(Wire):
    """Asks for the deletion of resources."""

    organization: str
    parts: tuple[PartRef, ...]


class TeardownNote(Wire):
    """Tells on the resource what its deletion waits for."""

    request: TeardownRequest
    reason: str
    message: str


class TornDown(Wire):
    """Result of a teardown."""

    organization: str
    kind: str
    name: str
    message: str = ""

"""The phases a procedure goes through, in the field's own words."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a procedure stands.

    ``Parked`` waits for a person after a technical fault. ``Failed`` was tried and did not pass,
    ``Errored`` is a technical fault, ``Denied`` was refused by a policy, ``Cancelled`` was stopped
    by a person, ``Superseded`` gave way to a newer request.
    """

    PENDING = "Pending"
    RUNNING = "Running"
    PARKED = "Parked"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERRORED = "Errored"
    DENIED = "Denied"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"

    @property
    def is_terminal(self) -> bool:
        """Tells whether nothing will change any more."""
        return self not in {Phase.PENDING, Phase.RUNNING, Phase.PARKED}


class StepPhase(StrEnum):
    """Where one step of a procedure stands."""

    WAITING = "Waiting"
    RUNNING = "Running"
    DONE = "Done"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    UNDONE = "Undone"

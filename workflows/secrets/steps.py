"""The steps of a rotation: each parks after a technical fault, and the SecretRotation is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.secrets.plans import RotationPlanActivities
from domain import ids
from domain.deliveries.parking import Choice
from domain.deliveries.rotations import RotationNote, RotationRequest
from domain.errors import PlatformError
from domain.phases import Phase
from domain.policies import parking
from runtime.errors import as_domain_error
from workflows.common.calls import QUICK, call
from workflows.common.facts import Facts
from workflows.common.parking import Parking
from workflows.common.progress import Progress

Result = TypeVar("Result")


def looks_again() -> bool:
    """Tells whether a run began when there were stops, parking and status; others end as before."""
    return workflow.patched("rotation-looks-again")


class Steps:
    """What all steps of one rotation have in common. Lives inside one workflow run."""

    def __init__(self, request: RotationRequest, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self.facts = Facts(request.organization, f"secret {request.rotation}", request.trigger)
        self.parking = Parking("rotation", progress)

    async def do(self, name: str, work: Callable[[], Awaitable[Result]], **waits: Any) -> Result:
        """Does one step; after a technical fault again, if a person says so."""
        while True:
            try:
                with self._progress.step(name, **waits):
                    return await work()
            except (FailureError, PlatformError) as failure:
                error = as_domain_error(failure)
                parks = parking.parks("rotation", name, error)
                if is_cancelled_exception(failure) or not parks or not looks_again():
                    raise
                await self.note(Phase.PARKED, f"{name}: {error.message}")
                decision = await self.parking.ask(error, self.facts, step=name)
                if decision.choice is not Choice.RETRY:
                    raise

    async def told(self, action: str, **about: Any) -> None:
        """Writes one fact down; a cancel that comes meanwhile is raised afterwards."""
        self.facts.add(action, **about)
        await self.facts.write()

    async def told_at_last(self, action: str, **about: Any) -> None:
        """Writes down how the rotation ended; a cancel changes nothing in that any more."""
        self.facts.add(action, **about)
        await self.facts.write_to_the_end()

    async def note(
        self, phase: Phase, message: str, *, version: int = 0, expires: datetime | None = None
    ) -> None:
        """Tells the SecretRotation. That it could not be told changes nothing in the rotation."""
        if not looks_again():
            return
        info = workflow.info()
        with suppress(FailureError):
            await call(
                RotationPlanActivities.note_rotation,
                RotationNote(
                    organization=self._request.organization,
                    rotation=self._request.rotation,
                    phase=phase,
                    message=message,
                    version=version,
                    workflow_id=info.workflow_id,
                    run_id=info.run_id,
                    expires=expires,
                ),
                f"tell {self._request.rotation} that it is {phase.value.lower()}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
                even_if_cancelled=True,
            )

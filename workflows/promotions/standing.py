"""Remembers what may run in a place and what must not: the one memory that nobody can edit.

One entity workflow a place, begun by the first change and over when nothing is remembered any more
(docs/decisions/0012). Resources can be written by whoever has rights on them; this cannot.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.deliveries import Trigger
from domain.deliveries.standings import Standing, StandingChange
from domain.phases import Phase
from domain.policies.promotion.standing import changed
from runtime import search_attributes as attributes
from workflows.common.facts import Facts

_LINGER = timedelta(minutes=1)
"""How long it stays with nothing to remember: changes often come in pairs."""
_LOOK = timedelta(days=30)
_TRIES_AGAIN = timedelta(minutes=15)
"""How soon facts are written again that could not be."""


@workflow.defn
class StandingWorkflow:
    """What is remembered of one component in one environment."""

    @workflow.init
    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._is_changed = False
        self._changes = 0
        self._log = Facts(
            standing.organization,
            f"{standing.component} in {standing.environment}",
            Trigger(),
            component=standing.component,
            environment=standing.environment,
        )
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set(attributes.LANE),
                attributes.ORGANIZATION.value_set(standing.organization),
                attributes.COMPONENT.value_set(standing.component),
                attributes.ENVIRONMENT.value_set(standing.environment),
                attributes.PHASE.value_set(Phase.RUNNING.value),
                attributes.AWAITING.value_set(_awaits(standing)),
            ]
        )

    @workflow.run
    async def run(self, _standing: Standing) -> None:
        """Remembers until there is nothing left to remember."""
        while True:
            pause = _LINGER if self._standing.is_empty else _LOOK
            pause = min(pause, _TRIES_AGAIN) if self._log.are_pending else pause
            try:
                await workflow.wait_condition(
                    lambda: self._is_changed,
                    timeout=pause,
                    timeout_summary="end, if nothing is to be remembered",
                )
            except TimeoutError:
                if self._is_over:
                    break
            self._is_changed = False
            await self._write()
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                await self._write()
                if self._log.are_pending:
                    continue  # another time: they would be lost
                workflow.continue_as_new(self._standing)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    def change(self, change: StandingChange) -> Standing:
        """Remembers something, or forgets it; answers with what is remembered now."""
        before, self._standing = self._standing, changed(self._standing, change)
        self._is_changed = True
        self._tell(before, change)
        if _awaits(before) is not _awaits(self._standing):
            workflow.upsert_search_attributes(
                [attributes.AWAITING.value_set(_awaits(self._standing))]
            )
        self._show()
        return self._standing

    @workflow.query
    def standing(self) -> Standing:
        """What is remembered."""
        return self._standing

    @property
    def _is_over(self) -> bool:
        return self._standing.is_empty and not self._is_changed and not self._log.are_pending

    async def _write(self) -> None:
        """Writes down what people changed. What is remembered outlives records that are away."""
        try:
            await self._log.write()
        except FailureError:
            workflow.logger.warning("records are away: what was changed is written down later")

    def _tell(self, before: Standing, change: StandingChange) -> None:
        """Collects what a person changed; the run writes it down, whoever dies meanwhile."""
        self._changes += 1
        if not change.by or change.key in before.done:
            return
        said: dict[str, Any] = {"actor": change.by, "reason": change.reason}
        if change.hold is not None:
            self._log.add("hold.placed", step=f"placed-{self._changes}", **said)
        if change.lift_hold and before.hold is not None:
            self._log.add("hold.lifted", step=f"lifted-{self._changes}", **said,
                          message=f"it said: {before.hold.reason}"[:500])  # fmt: skip
        if change.pin is not None:
            self._log.add("pin.placed", step=f"pinned-{self._changes}", **said,
                          after=change.pin.artifact)  # fmt: skip
        if change.lift_pin and before.pin is not None:
            self._log.add("pin.lifted", step=f"unpinned-{self._changes}", **said,
                          before=before.pin.artifact,
                          message=f"it said: {before.pin.reason}"[:500])  # fmt: skip
        for veto in before.vetoes:
            if veto.artifact == change.lift_veto:
                said |= {"after": veto.artifact, "message": f"it said: {veto.reason}"[:500]}
                self._log.add("veto.lifted", step=f"allowed-{self._changes}", **said)

    def _show(self) -> None:
        standing = self._standing
        lines = [f"{standing.component} in {standing.environment}", ""]
        lines += [f"- held: {standing.hold.reason}"] if standing.hold else []
        lines += (
            [f"- pinned to {standing.pin.artifact}: {standing.pin.reason}"] if standing.pin else []
        )
        lines += [f"- vetoed: {one.artifact}: {one.reason}" for one in standing.vetoes]
        lines += [f"- passed: {one.release} ({one.artifact})" for one in standing.passes]
        workflow.set_current_details("\n".join(lines))


def _awaits(standing: Standing) -> bool:
    """Tells whether there is something that a person may lift."""
    return standing.hold is not None or standing.pin is not None or bool(standing.vetoes)

"""Remembers what may run in a place and what must not: the one memory that nobody can edit.

One entity workflow a place, begun by the first change and over when nothing is remembered any more
(docs/decisions/0012). Resources can be written by whoever has rights on them; this cannot.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from domain.deliveries.standings import Standing, StandingChange
from domain.phases import Phase
from domain.policies.promotion.standing import changed
from runtime import search_attributes as attributes

_LINGER = timedelta(minutes=1)
"""How long it stays with nothing to remember: changes often come in pairs."""
_LOOK = timedelta(days=30)


@workflow.defn
class StandingWorkflow:
    """What is remembered of one component in one environment."""

    @workflow.init
    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._is_changed = False
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
            try:
                await workflow.wait_condition(
                    lambda: self._is_changed,
                    timeout=pause,
                    timeout_summary="end, if nothing is to be remembered",
                )
            except TimeoutError:
                if self._standing.is_empty and not self._is_changed:
                    break
            self._is_changed = False
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._standing)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    def change(self, change: StandingChange) -> Standing:
        """Remembers something, or forgets it; answers with what is remembered now."""
        before, self._standing = self._standing, changed(self._standing, change)
        self._is_changed = True
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

    def _show(self) -> None:
        standing = self._standing
        lines = [f"{standing.component} in {standing.environment}", ""]
        lines += [f"- held: {standing.hold.reason}"] if standing.hold else []
        lines += [f"- vetoed: {one.artifact}: {one.reason}" for one in standing.vetoes]
        lines += [f"- passed: {one.release} ({one.artifact})" for one in standing.passes]
        workflow.set_current_details("\n".join(lines))


def _awaits(standing: Standing) -> bool:
    """Tells whether there is something that a person may lift."""
    return standing.hold is not None or bool(standing.vetoes)

"""An operation that waits for a person: one timer and one Update handler, as an approval has."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

_DEADLINE = timedelta(days=30)


@workflow.defn
class ParkedWorkflow:
    """Waits until somebody decides, or for a month."""

    @workflow.init
    def __init__(self, _subject: str) -> None:
        self._decided = False

    @workflow.run
    async def run(self, _subject: str) -> None:
        """Waits."""
        await workflow.wait_condition(
            lambda: self._decided, timeout=_DEADLINE, timeout_summary="deadline of the decision"
        )

    @workflow.update
    def decide(self) -> bool:
        """Ends the wait."""
        self._decided = True
        return True

    @workflow.query
    def is_decided(self) -> bool:
        """Whether the wait is over."""
        return self._decided

"""What a flow did, collected as audit facts and written down once.

Facts are derived from the history of the run (its own clock, its own ids), so a run that is
replayed or tried again tells the same facts with the same keys: each is written once, also when a
worker dies between an effect and its record.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.records.facts import RecordActivities
from domain import ids
from domain.deliveries import Trigger
from domain.records import AuditFact, DeploymentEntry, FactBatch, FactResult, Recorded, fact_key
from workflows.common.calls import QUICK, call, heed_cancel


class Facts:
    """The facts of one run, or of one attempt of a run that does several. Not shared."""

    def __init__(
        self,
        organization: str,
        subject: str,
        trigger: Trigger,
        *,
        component: str = "",
        environment: str = "",
        scope: str = "",
    ) -> None:
        """Begins with nothing collected.

        Args:
            organization: Whose chain the facts stand in.
            subject: What they are about, for people, such as ``web in production``.
            trigger: Who asked; the actor of all facts that name no other.
            component: For lists; empty = none.
            environment: For lists; empty = none.
            scope: Goes into every key; needed where one run does the same step several times.
        """
        self._common: dict[str, Any] = {
            "organization": organization,
            "subject": subject,
            "actor": trigger.actor or trigger.kind.value,
            "component": component,
            "environment": environment,
        }
        self._scope = f"{scope}:" if scope else ""
        self._again = ""
        self._pending: list[AuditFact] = []

    def begin_again(self, number: int) -> None:
        """The same steps are done once more: their facts are facts of their own."""
        self._again = f"{number}:"

    def is_about(self, **common: str) -> None:
        """Sets what all later facts have in common, such as a project that is learnt late."""
        self._common.update(common)

    def add(
        self, action: str, *, step: str = "", result: FactResult = FactResult.DONE, **more: Any
    ) -> AuditFact:
        """Adds a fact. It is written with the next ``take`` or ``write``.

        Args:
            action: ``noun.past-participle``.
            step: Part of the key; empty = the action. One that may happen again has a number.
            result: How it went.
            more: Further fields of ``AuditFact``; ``actor`` if it was not who asked.
        """
        info = workflow.info()
        step = f"{self._scope}{self._again}{step or action}"
        content = {
            "evidence": (info.workflow_id,),
            **self._common,
            **more,
            "action": action,
            "key": fact_key(info.workflow_id, info.run_id, step),
            "at": workflow.now(),
            "result": result,
        }
        fact = AuditFact(**content)
        self._pending.append(fact)
        return fact

    def add_cancel(self, action: str, undone: Iterable[str] = ()) -> None:
        """Adds that somebody stopped the flow: who and why are in the reason of the cancel."""
        told = workflow.cancellation_reason() or ""
        who, _, why = told.partition(": ")
        actor = {"actor": who} if who else {}
        self.add(action, result=FactResult.UNDONE, reason=why, message="; ".join(undone), **actor)

    @property
    def are_pending(self) -> bool:
        """Tells whether something is collected that is not written yet."""
        return bool(self._pending)

    def take(self) -> tuple[AuditFact, ...]:
        """Returns what is collected, for an activity that runs anyway and writes it along."""
        taken, self._pending = tuple(self._pending), []
        return taken

    async def write(self, *deployments: DeploymentEntry) -> Recorded:
        """Writes what is collected in one activity; does nothing when there is nothing.

        What was done must be written down, so a cancel does not stop it; it is raised afterwards.

        Raises:
            asyncio.CancelledError: The flow is cancelled. What was collected is written.
        """
        try:
            done = await self.write_to_the_end(*deployments)
        except FailureError:
            heed_cancel()
            raise
        heed_cancel()
        return done

    async def write_to_the_end(self, *deployments: DeploymentEntry) -> Recorded:
        """Writes like ``write``, where a cancel changes nothing any more.

        For the last words of a flow, and what it tells while it undoes: nothing may follow that
        waits or changes anything, because a cancel that came meanwhile is not heard of again.
        """
        facts = self.take()
        if not facts and not deployments:
            return Recorded()
        said = ", ".join(fact.action for fact in facts) or "history"
        try:
            return await call(
                RecordActivities.record,
                FactBatch(facts=facts, deployments=deployments),
                f"write down {said}"[:200],
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
                even_if_cancelled=True,
            )
        except FailureError:
            self._pending = [*facts, *self._pending]  # for the next time something is written
            raise

"""What is known of one deployment while it runs, and the record of how it ended."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from domain.deliveries import DeployRecord, DeployRequest, PreparedRelease
from domain.deliveries.parking import Choice, Resolution
from domain.errors import CompensationFailed, Denied, Errored, Failed, PlatformError, Superseded
from domain.phases import Phase
from domain.records import AuditFact
from workflows.common.progress import Progress
from workflows.deployments.facts import DeploymentFacts, lead_time


class Attempt:
    """One request of a queue being carried out. Lives inside one workflow run."""

    def __init__(self, request: DeployRequest, started: datetime) -> None:
        self.request = request
        self.started = started
        self.release: PreparedRelease | None = None
        self.undone: tuple[str, ...] = ()
        self.facts = DeploymentFacts(request)
        self._tries = 1

    def begin_again(self, decision: Resolution | None = None) -> None:
        """Does the same once more, or with the input as a person fixed it."""
        self._tries += 1
        self.facts.begin_again(self._tries)
        if decision is not None and decision.choice is Choice.FIX:
            fixed = {
                "artifact": decision.artifact or self.request.artifact,
                "force_conflicts": decision.force_conflicts or self.request.force_conflicts,
            }
            self.request = self.request.model_copy(update=fixed)

    def record(
        self,
        phase: Phase,
        failure: PlatformError | None,
        others: tuple[AuditFact, ...],
        progress: Progress,
    ) -> DeployRecord:
        """Returns what is written down of the end; ``others`` are facts of other requests."""
        facts = failure.facts if failure else {}
        return DeployRecord(
            request=self.request,
            release=self.release.named() if self.release else None,
            generation=int(facts.get("generation", 0)),
            phase=phase,
            reason=facts.get("reason", type(failure).__name__ if failure else ""),
            message=failure.message if failure else "",
            log_tail=facts.get("log", ""),
            restored=bool(self.undone) and not isinstance(failure, CompensationFailed),
            undone=self.undone,
            workflow_id=workflow.info().workflow_id,
            run_id=workflow.info().run_id,
            started=self.started,
            finished=workflow.now(),
            facts=(*others, *self.facts.take()),
            lead_time=lead_time(self.request, self.started, progress, self.release),
        )


def phase_of(failure: PlatformError | None) -> Phase:
    """Returns how a deployment ended; None = it was cancelled."""
    if failure is None:
        return Phase.CANCELLED
    if isinstance(failure, Superseded):
        return Phase.SUPERSEDED
    if isinstance(failure, Failed):
        return Phase.FAILED
    if isinstance(failure, Denied):
        return Phase.DENIED
    return Phase.ERRORED if isinstance(failure, Errored) else Phase.FAILED

"""What one build tells the audit, and in which phase it ended."""

from __future__ import annotations

from domain.deliveries import BuildOutcome, BuildPlan, BuildRequest
from domain.errors import Errored, PlatformError, Superseded
from domain.phases import Phase
from domain.records import FactResult
from workflows.common.facts import Facts

_RESULTS = {Phase.SUCCEEDED: FactResult.DONE, Phase.SUPERSEDED: FactResult.REFUSED}


class BuildFacts(Facts):
    """Collects the facts of a build; they are written with its end."""

    def __init__(self, request: BuildRequest) -> None:
        super().__init__(
            request.organization,
            f"{request.component} at {request.commit[:12]}",
            request.trigger,
            component=request.component,
        )
        self._commit = request.commit

    def ended(
        self, phase: Phase, plan: BuildPlan | None, outcome: BuildOutcome | None, message: str
    ) -> None:
        """The build is over."""
        if plan is not None:
            self.is_about(project=plan.project)
        action = f"build.{phase.value.lower()}"
        if phase is Phase.CANCELLED:
            self.add_cancel(action)
            return
        made = outcome or BuildOutcome()
        self.add(
            action,
            result=_RESULTS.get(phase, FactResult.FAILED),
            before=self._commit,
            after=made.image,
            after_hash=made.digest,
            message=message,
        )


def build_phase(failure: PlatformError | None) -> Phase:
    """Returns how a build ended; None = a person cancelled it."""
    if failure is None:
        return Phase.CANCELLED
    if isinstance(failure, Superseded):
        return Phase.SUPERSEDED
    return Phase.ERRORED if isinstance(failure, Errored) else Phase.FAILED

"""Has what a release lets through tried from pods, and fails it where its environment says so."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.planes.probing import ProbeActivities
from domain.deliveries import PreparedRelease
from domain.deliveries.probes import ProbeRun
from domain.errors import VerificationFailed
from workflows.common.calls import call, watch
from workflows.common.progress import Progress
from workflows.deployments.attempt import Attempt

_LIMIT = timedelta(minutes=6)
"""More than the pods that try may take; they end themselves."""


async def probed(
    attempt: Attempt, release: PreparedRelease, run: ProbeRun, progress: Progress
) -> str:
    """Returns what came of the probes.

    Raises:
        VerificationFailed: Something is not as declared, and the environment enforces it: what ran
            before is to be brought back.
    """
    with progress.waiting("probes of who may talk", until=workflow.now() + _LIMIT):
        outcome = await call(
            ProbeActivities.probe_ways,
            run,
            f"try {len(run.ways)} ways of {run.component} from pods",
            queue=release.task_queue,
            options=watch(_LIMIT),
        )
    attempt.facts.probed(outcome)
    if run.enforced and not outcome.passed:
        raise VerificationFailed(
            f"network policies do not let through what is declared: {'; '.join(outcome.wrong)}",
            facts={"reason": "ProbeFailed"},
        )
    return outcome.said

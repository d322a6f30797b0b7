"""How a promotion ended, in words and in what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.promotions import Promotion, PromotionFacts, PromotionRequest
from domain.deliveries.rollbacks import Rollback, RollbackRequest
from domain.errors import (
    CompensationFailed,
    Denied,
    Errored,
    Failed,
    FreezeActive,
    PlatformError,
    Superseded,
    VerificationFailed,
)
from domain.phases import Phase
from domain.records import FactResult
from domain.resources.pipeline import OnFailure
from runtime.errors import as_domain_error
from workflows.common.calls import stop_if_cancelled
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.promotions.passage import Passage
from workflows.promotions.rollback import RollbackWorkflow


async def go_back(
    facts: PromotionFacts, request: PromotionRequest, failure: FailureError, progress: Progress
) -> NoReturn:
    """Brings back what did well before, by policy and with its guards.

    Raises:
        VerificationFailed: It says what became of it.
        FailureError: ``failure`` says nothing of how the release does.
    """
    error = as_domain_error(failure)
    if not isinstance(error, Failed):
        raise failure
    if facts.rules.on_failure is OnFailure.KEEP:
        progress.skip("rollback", "the pipeline leaves it to a person")
        raise VerificationFailed(f"{error.message}; it is left as it is", facts=error.facts)
    with progress.step("rollback", awaiting=f"the rollback of {facts.release}"):
        back = await bring_back(facts, request, error)
    raise VerificationFailed(f"{error.message}; rolled back to {back.release}",
                             facts={**error.facts, "rolledBackTo": back.release})  # fmt: skip


async def bring_back(facts: PromotionFacts, request: PromotionRequest, error: Failed) -> Rollback:
    """Has the last release brought back that did well.

    Raises:
        VerificationFailed: That was not possible; it says both reasons.
    """
    ask = RollbackRequest(
        organization=facts.organization,
        component=facts.component,
        environment=facts.environment,
        request_id=f"{workflow.info().run_id}-{request.request_id}",
        bad=facts.release,
        reason=error.message,
        per_day=facts.rules.max_rollbacks_per_day,
        trigger=Trigger(kind=TriggerKind.AUTOMATIC, reference=workflow.info().workflow_id),
    )
    try:
        back: Rollback = await workflow.execute_child_workflow(
            RollbackWorkflow.run,
            ask,
            id=ids.rollback_id(facts.organization, facts.component, facts.environment),
            task_queue=ids.ORCHESTRATION_QUEUE,
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=f"roll {facts.component} back in {facts.environment}",
            execution_timeout=timedelta(hours=12),
        )
    except FailureError as failure:
        worse = as_domain_error(failure)
        raise VerificationFailed(
            f"{error.message}; not rolled back: {worse.message}", facts=error.facts
        ) from failure
    return back


async def put_back_for(
    frozen: FreezeActive, passage: Passage, saga: Saga, progress: Progress
) -> None:
    """Brings back what ran before, because a freeze wants that; then all begins anew.

    Raises:
        CompensationFailed: That was not possible.
    """
    with progress.waiting(f"what ran before, for {frozen.message}"):
        await saga.compensate()
    stop_if_cancelled()
    passage.frozen(frozen.message)
    progress.restart()


def told(passage: Passage, phase: Phase) -> Promotion:
    """Returns what is known of a promotion, as its result tells it."""
    request, facts = passage.request, passage.facts
    artifact = facts.artifact if facts else None
    return Promotion(
        organization=request.organization,
        component=request.component,
        environment=request.environment,
        source=facts.source.environment if facts else request.source,
        request_id=request.request_id,
        phase=phase,
        artifact=artifact.name if artifact else request.artifact,
        image=artifact.image if artifact else "",
        release=facts.release if facts else "",
        gates=passage.verdicts,
        hash=facts.agreed if facts else "",
        approved_by=passage.approvals.approved_by,
        hotfix=request.hotfix,
    )


def ended(
    passage: Passage,
    phase: Phase,
    message: str,
    failure: PlatformError | None,
    undone: Sequence[str],
) -> Promotion:
    """Returns how a promotion ended that did not succeed."""
    facts = failure.facts if failure else {}
    return told(passage, phase).model_copy(
        update={
            "reason": facts.get("reason", type(failure).__name__ if failure else ""),
            "message": message,
            "undone": tuple(undone),
            "rolled_back_to": facts.get("rolledBackTo", ""),
        }
    )


def left_alone(passage: Passage) -> str:
    """Says what a cancel leaves that came when all was done but the watch."""
    request, release = passage.request, passage.facts.release if passage.facts else ""
    return (
        f"cancelled: {release} stays in {request.environment} and is watched no more; "
        f"to take it back: pavane rollback {request.component} {request.environment}"
    )


def phase_of(error: PlatformError) -> Phase:
    """Returns in which phase a promotion ended that failed so."""
    if isinstance(error, Superseded):
        return Phase.SUPERSEDED
    if isinstance(error, Denied):
        return Phase.DENIED
    return Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED


def log_end(passage: Passage, phase: Phase, message: str, undone: Sequence[str]) -> None:
    """Adds to the facts what each gate said, and how it ended."""
    facts = passage.facts
    gates = tuple(f"{one.name} {one.state.value}: {one.reason}" for one in passage.verdicts)
    results = {Phase.SUCCEEDED: FactResult.DONE, Phase.DENIED: FactResult.REFUSED,
               Phase.SUPERSEDED: FactResult.REFUSED,
               Phase.CANCELLED: FactResult.UNDONE}  # fmt: skip
    passage.facts_log.add(
        f"promotion.{phase.value.lower()}",
        result=results.get(phase, FactResult.UNDONE if undone else FactResult.FAILED),
        project=facts.project if facts else "",
        before=facts.target.release if facts else "",
        after=facts.release if facts else "",
        after_hash=facts.hash if facts else "",
        authority=", ".join(passage.approvals.approved_by),
        message="; ".join([message, *undone]),
        evidence=(workflow.info().workflow_id, *gates)[:50],
    )


async def undone(
    saga: Saga, failure: PlatformError | None, phase: Phase
) -> tuple[PlatformError | None, Phase]:
    """Undoes what was done; returns how it ended, with both reasons when that failed too."""
    try:
        await saga.compensate()
    except CompensationFailed as worse:
        reason = failure.message if failure else "cancelled"
        return CompensationFailed(f"{reason}; undo failed: {worse.message}"), Phase.ERRORED
    return failure, phase


def reason(failure: PlatformError | None, phase: Phase) -> str:
    """Returns why a promotion ended, in words."""
    return failure.message if failure else phase.value.lower()

"""Measures promotions: what many that wait for approval cost, and how they come when all are given.

Everything is real but the pods: gates, signatures, access rules, passes, the queue of each place,
the objects on the plane.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks import tenant
from benchmarks.burst import burst
from benchmarks.pods import simulated_pods
from benchmarks.samples import Figure, Measurement, Samples
from benchmarks.sightings import NotMeasured
from benchmarks.stacks import Bench
from benchmarks.usage import Meter, Spent, quiet
from clients.assertions import AssertionSigner
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalStanding
from domain.deliveries.promotions import PromotionRequest
from runtime import search_attributes as attributes

_WORKFLOW = "PromotionWorkflow"
_AT_ONCE = 32
_IDLE_SECONDS = 20.0
_PATIENCE_EACH = 4.0
"""Seconds a promotion may take on the average before the benchmark gives up."""
Handle = WorkflowHandle[Any, Any]


async def waiting_promotions(bench: Bench, names: Sequence[str]) -> list[Measurement]:
    """Deploys components, has all promoted, looks at what waiting costs, approves all at once.

    Raises:
        NotMeasured: It took too long.
        RPCError: Temporal refused.
    """
    await burst(bench, names)
    number, patience = len(names), _PATIENCE_EACH * len(names)
    async with simulated_pods(bench.cluster, tenant.PROTECTED_NAMESPACE):
        start = time.perf_counter()
        promotions, asked = await _within(_asked(bench, names), patience, "approvals asked for")
        took = time.perf_counter() - start
        idle = await _idle(bench)
        meter = Meter(bench.processes)
        start = time.perf_counter()
        approving = _approved(bench, promotions, asked)
        given, seconds = await _within(approving, patience, "promotions")
        everything = time.perf_counter() - start
        spent = await meter.stop()
    return [
        Figure(f"{number} promotions: until all wait for approval", took, "s"),
        *(
            Figure(
                f"{number} promotions wait: CPU of {part}", idle[part].cpu / _IDLE_SECONDS, "cores"
            )
            for part in ("worker", "temporal")
        ),
        Figure(f"{number} promotions wait: memory of the worker", idle["worker"].memory, "MiB"),
        Samples(f"promotion, {number} approved at once, until the vote counted", tuple(given)),
        Samples(f"promotion, {number} approved at once, until it is there", tuple(seconds)),
        Figure(f"{number} promotions approved at once", number / everything * 60, "/min"),
        *(
            Figure(f"{number} promotions: CPU of {part} each", one.cpu / number * 1000, "ms")
            for part, one in spent.items()
        ),
    ]


async def _within(work: Any, seconds: float, what: str) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise NotMeasured(f"not all {what} within {seconds:.0f} s") from None


async def _asked(
    bench: Bench, names: Sequence[str]
) -> tuple[list[Handle], list[tuple[Handle, ApprovalStanding]]]:
    """Asks for all promotions; returns them and their approvals when all are open."""
    hands = asyncio.Semaphore(_AT_ONCE)

    async def ask(name: str) -> Handle:
        request = PromotionRequest(
            organization=tenant.ORGANIZATION,
            component=name,
            environment=tenant.PROTECTED,
            request_id=f"bench-{name}",
            trigger=Trigger(actor="somebody"),
        )
        place = ids.promotion_id(tenant.ORGANIZATION, name, tenant.PROTECTED)
        async with hands:
            return await bench.temporal.start_workflow(
                _WORKFLOW, request, id=place, task_queue=ids.LANES_QUEUE
            )

    async def look(promotion: Handle) -> tuple[Handle, ApprovalStanding]:
        approval: Handle = bench.temporal.get_workflow_handle(ids.approval_id(promotion.id))
        async with hands:
            return approval, await approval.query("approval", result_type=ApprovalStanding)

    promotions = await asyncio.gather(*(ask(name) for name in names))
    await _open(bench, names)
    return promotions, await asyncio.gather(*(look(one) for one in promotions))


async def _open(bench: Bench, names: Sequence[str]) -> None:
    """Returns once all approvals are open; one question for all, so that it costs nothing."""
    mark = names[0].rpartition("-")[0]  # which all of one run have in common
    query = (
        "WorkflowType = 'ApprovalWorkflow' AND ExecutionStatus = 'Running' "
        f"AND {attributes.COMPONENT.name} STARTS_WITH '{mark}-'"
    )
    while (await bench.temporal.count_workflows(query)).count < len(names):  # noqa: ASYNC110 - Temporal has no event
        await asyncio.sleep(0.5)


async def _idle(bench: Bench) -> dict[str, Spent]:
    await quiet(bench.processes)  # those who decide are told, and it is written down
    meter = Meter(bench.processes)
    await asyncio.sleep(_IDLE_SECONDS)
    return await meter.stop()


async def _approved(
    bench: Bench, promotions: Sequence[Handle], asked: Sequence[tuple[Handle, ApprovalStanding]]
) -> tuple[list[float], list[float]]:
    """Approves all at once; returns when each vote counted and when each release was there."""
    signer = AssertionSigner(Path(bench.record.environment["PAVANE_APPROVALS__SIGNING_KEY"]))
    person = ApprovalPerson(subject="bench", groups=(tenant.GROUP,))

    async def one(
        promotion: Handle, approval: Handle, standing: ApprovalStanding
    ) -> tuple[float, float]:
        start = time.perf_counter()
        decision = ApprovalDecision(
            act=Act.APPROVE, hash=standing.hash, round=standing.request.state.round, text="bench"
        )
        signed = signer.sign(approval.id, decision, person)
        await approval.execute_update("decide", signed, result_type=ApprovalStanding)
        counted = time.perf_counter() - start
        await promotion.result()
        return counted, time.perf_counter() - start

    pairs = zip(promotions, asked, strict=True)
    found = await asyncio.gather(*(one(handle, *approval) for handle, approval in pairs))
    return [counted for counted, _ in found], [done for _, done in found]

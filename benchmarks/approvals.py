"""Measures approvals: what many that wait cost, and how quickly many are given at once.

They run in the worker of the stack, with real signatures, access rules and records.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.samples import Figure, Measurement, Samples
from benchmarks.stacks import Bench
from benchmarks.tenant import GROUP, ORGANIZATION
from benchmarks.usage import Meter, Spent, quiet
from clients.assertions import AssertionSigner
from domain import ids
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalRequest, ApprovalStanding, BoundFacts

_WORKFLOW = "ApprovalWorkflow"
_AT_ONCE = 32
_IDLE_SECONDS = 20.0
Handle = WorkflowHandle[Any, Any]


async def waiting_approvals(bench: Bench, number: int, decided: int) -> list[Measurement]:
    """Asks for approvals, looks at what they cost while they wait, approves some at once.

    The others are withdrawn at the end.

    Raises:
        RPCError: Temporal refused.
    """
    environment = bench.record.environment
    signer = AssertionSigner(Path(environment["PAVANE_APPROVALS__SIGNING_KEY"]))
    person = ApprovalPerson(subject="bench", groups=(GROUP,))
    mark = f"b{time.time_ns() // 10**9 % 10**6:x}"
    start = time.perf_counter()
    asked = await _ask(bench, [f"promotion/{ORGANIZATION}/{mark}/e{one}" for one in range(number)])
    took = time.perf_counter() - start
    idle = await _idle(bench)
    some = asked[:decided]
    start = time.perf_counter()
    seconds = await _approve(some, signer, person)
    given = time.perf_counter() - start
    await _withdraw(asked[decided:])
    return [
        Figure(f"{number} approvals: asked", number / took, "/s"),
        *(
            Figure(
                f"{number} approvals wait: CPU of {part}", idle[part].cpu / _IDLE_SECONDS, "cores"
            )
            for part in ("worker", "temporal")
        ),
        Figure(f"{number} approvals wait: memory of the worker", idle["worker"].memory, "MiB"),
        Figure(f"{decided} approved at once", decided / given, "/s"),
        Samples(f"approval, {decided} at once, until it ended", tuple(seconds)),
    ]


async def _ask(bench: Bench, subjects: list[str]) -> list[tuple[ApprovalRequest, Handle]]:
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(subject: str) -> tuple[ApprovalRequest, Handle]:
        request = ApprovalRequest(
            subject=subject,
            organization=ORGANIZATION,
            asked=f"promote {subject}",
            facts=BoundFacts(artifact="sha256:bench"),
        )
        async with hands:
            handle: Handle = await bench.temporal.start_workflow(
                _WORKFLOW, request, id=ids.approval_id(subject), task_queue=ids.LANES_QUEUE
            )
            # It answers from where it waits, so the worker has had it in its hands.
            await handle.query("approval", result_type=ApprovalStanding)
        return request, handle

    return list(await asyncio.gather(*(one(subject) for subject in subjects)))


async def _idle(bench: Bench) -> dict[str, Spent]:
    await quiet(bench.processes)  # each tells those who decide, and writes that down
    meter = Meter(bench.processes)
    await asyncio.sleep(_IDLE_SECONDS)
    return await meter.stop()


async def _approve(
    asked: list[tuple[ApprovalRequest, Handle]], signer: AssertionSigner, person: ApprovalPerson
) -> list[float]:
    async def one(request: ApprovalRequest, handle: Handle) -> float:
        decision = ApprovalDecision(act=Act.APPROVE, hash=request.hash, text="bench")
        start = time.perf_counter()
        signed = signer.sign(handle.id, decision, person)
        await handle.execute_update("decide", signed, result_type=ApprovalStanding)
        await handle.result()
        return time.perf_counter() - start

    return list(await asyncio.gather(*(one(request, handle) for request, handle in asked)))


async def _withdraw(asked: list[tuple[ApprovalRequest, Handle]]) -> None:
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(handle: Handle) -> None:
        async with hands:
            await handle.signal("withdraw", "the benchmark is over")

    await asyncio.gather(*(one(handle) for _, handle in asked))

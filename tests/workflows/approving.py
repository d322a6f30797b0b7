"""An open approval in a test: real signatures, real access rules, a workflow on a real server."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.promotions.approvals import ApprovalActivities
from clients.assertions import AssertionSigner, AssertionVerifier
from clients.kubernetes.cluster import Cluster
from devstack.pki import Pki
from domain import ids
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import (
    ApprovalRequest,
    ApprovalResult,
    ApprovalStanding,
    BoundFacts,
)
from domain.deliveries.notices import Notice, NoticeReceipt
from domain.records import AuditFact, FactBatch, Recorded
from settings import Settings
from tests.serving import own_client, served
from workflows.approvals.approval import ApprovalWorkflow
from workflows.approvals.asking import approved

FACTS = BoundFacts(artifact="sha256:a", configuration="c1", policies="p1", plan="n1")
ANN = ApprovalPerson(subject="id-ann", email="ann@acme.example", groups=("leads",))
BOB = ApprovalPerson(subject="id-bob", email="bob@acme.example", groups=("leads",))
CAT = ApprovalPerson(subject="id-cat", email="cat@acme.example", groups=("security",))
DAN = ApprovalPerson(subject="id-dan", email="dan@acme.example")
EVE = ApprovalPerson(subject="id-eve", email="eve@acme.example", groups=("outsiders",))


class _Organizations:
    """The one thing of the control plane that matters here: the access rules as they are now."""

    def __init__(self) -> None:
        self.access: list[dict[str, Any]] = [
            {"user": person.email, "role": "developer"} for person in (ANN, BOB, CAT, DAN)
        ]

        self.others: dict[str, list[dict[str, Any]]] = {}
        """Access rules of further organizations, by name."""

    async def find(self, _kind: object, name: str, _namespace: str = "") -> dict[str, Any]:
        return {
            "metadata": {"name": name},
            "spec": {"access": self.others.get(name, self.access)},
        }

    async def list(self, kind: object) -> Any:
        items = [await self.find(kind, name) for name in ("acme", *self.others)]
        return SimpleNamespace(items=items)


@workflow.defn(sandboxed=False)
class AskingWorkflow:
    """Some procedure that needs an approval."""

    @workflow.run
    async def run(self, request: ApprovalRequest) -> ApprovalResult:
        return await approved(request)


class Approvals:
    """Asks, signs and decides."""

    def __init__(self, client: Client, keys: Path) -> None:
        pair = Pki(keys).signing_key("approvals")
        self.client = client
        self.signer = AssertionSigner(pair.private)
        self.organizations = _Organizations()
        self._own: set[str] = set()
        self.notices: list[Notice] = []
        """Of its own approvals: what a test before left open may still tell something."""
        self.fail_notices: Exception | None = None
        self.told: Callable[[Notice, datetime], Awaitable[None]] | None = None
        """What somebody does who is told something, and when; time does not go on meanwhile."""
        self.facts: list[AuditFact] = []
        self.fail_records: Exception | None = None
        self._activities = ApprovalActivities(
            cast("Cluster", self.organizations),
            AssertionVerifier(pair.public),
            Settings(),
        )

    @activity.defn
    async def send_notice(self, notice: Notice) -> NoticeReceipt:
        if self.fail_notices:
            raise self.fail_notices
        if any(notice.key.startswith(f"{one}/") for one in self._own):
            self.notices.append(notice)
            if self.told is not None:
                await self.told(notice, activity.info().scheduled_time)
        return NoticeReceipt(sent=("test",))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        if self.fail_records:
            raise self.fail_records
        self.facts += batch.facts
        return Recorded(facts=len(batch.facts))

    def people(self) -> list[Any]:
        """Activities about people, for workers of others."""
        return [self._activities.check_people, self.send_notice]

    @asynccontextmanager
    async def worker(self, **options: Any) -> AsyncIterator[None]:
        own = await own_client(self.client)
        made = [
            Worker(
                own,
                task_queue=ids.LANES_QUEUE,
                workflows=[ApprovalWorkflow, AskingWorkflow],
                **options,
            ),
            Worker(
                own,
                task_queue=ids.CONTROL_QUEUE,
                activities=[self._activities.check_people, self.send_notice, self.record],
            ),
        ]
        async with served(made):
            yield

    def hears(self, approval: str) -> None:
        """Keeps what is told of an approval that a procedure asks for."""
        self._own.add(approval)

    async def ask(self, **changes: Any) -> Open:
        request = ApprovalRequest(
            **{
                "subject": f"promotion/acme/web/p{uuid.uuid4().hex[:10]}",
                "organization": "acme",
                "project": "shop",
                "component": "web",
                "environment": "production",
                "asked": "promote web to production",
                "facts": FACTS,
                "requester": "rob@acme.example",
                **changes,
            }
        )
        self._own.add(ids.approval_id(request.subject))
        handle = await self.client.start_workflow(
            ApprovalWorkflow.run,
            request,
            id=ids.approval_id(request.subject),
            task_queue=ids.LANES_QUEUE,
        )
        return Open(self, handle, request)


class Open:
    """One approval that was asked for."""

    def __init__(
        self,
        approvals: Approvals,
        handle: WorkflowHandle[ApprovalWorkflow, ApprovalResult],
        request: ApprovalRequest,
    ) -> None:
        self.approvals = approvals
        self.handle = handle
        self.request = request

    def signed(
        self,
        person: ApprovalPerson,
        act: Act = Act.APPROVE,
        *,
        at: datetime | None = None,
        **changes: Any,
    ) -> ApprovalDecision:
        fields = {"act": act, "hash": self.request.hash, "text": "seen", **changes}
        decision = ApprovalDecision(**fields)
        return self.approvals.signer.sign(self.handle.id, decision, person, at)

    async def decide(
        self, person: ApprovalPerson, act: Act = Act.APPROVE, **changes: Any
    ) -> ApprovalStanding:
        return await self.send(self.signed(person, act, **changes))

    async def send(self, decision: ApprovalDecision) -> ApprovalStanding:
        standing: ApprovalStanding = await self.handle.execute_update(
            "decide", decision, result_type=ApprovalStanding
        )
        return standing

    async def standing(self) -> ApprovalStanding:
        return await self.handle.query(ApprovalWorkflow.approval)

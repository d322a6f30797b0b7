"""Promotions with the real memory of places and the real queues; only facts are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle

from domain import ids
from domain.deliveries import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
    DeployRequest,
    FreezePlace,
    FreezeVerdict,
    OperationStatus,
    Trigger,
    TriggerKind,
)
from domain.deliveries.promotion_effects import (
    FoundDeployment,
    GateTestRun,
    OrderState,
    PointBinding,
    WatchRelease,
    WebhookCall,
)
from domain.deliveries.promotions import (
    ArtifactFacts,
    GateOutcome,
    PlaceFacts,
    Promotion,
    PromotionFacts,
    PromotionRequest,
    StepRules,
)
from domain.deliveries.rollbacks import RollbackFacts, RollbackRequest
from domain.deliveries.standings import Standing, StandingChange
from domain.errors import Errored
from domain.policies.promotion.rollback import KnownRelease
from domain.records import AuditFact, FactBatch, Recorded
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings
from workflows.promotions.starting import signal_promotion

IMAGE = f"registry.example/acme/web@sha256:{'a' * 64}"


@workflow.defn(name="ApprovalWorkflow")
class ScriptedApproval:
    """Answers as it is told by signal, and tells what it was asked last."""

    @workflow.init
    def __init__(self, request: ApprovalRequest) -> None:
        self._request = request
        self._outcome: ApprovalOutcome | None = None

    @workflow.run
    async def run(self, _request: ApprovalRequest) -> ApprovalResult:
        await workflow.wait_condition(lambda: self._outcome is not None)
        assert self._outcome is not None
        subject, asked = self._request.subject, self._request.hash
        message = f"it was {self._outcome.value}"
        return ApprovalResult(subject=subject, outcome=self._outcome, hash=asked, message=message)

    @workflow.signal
    def decided(self, outcome: ApprovalOutcome) -> None:
        self._outcome = outcome

    @workflow.signal
    def rebind(self, change: ApprovalChange) -> None:
        self._request = self._request.model_copy(update={"facts": change.facts})

    @workflow.signal
    def withdraw(self, _why: str) -> None:
        self._outcome = ApprovalOutcome.VOID

    @workflow.query
    def asked(self) -> ApprovalRequest:
        return self._request


class Line:
    """dev -> staging of one component; its facts are what the test makes them."""

    def __init__(self, client: Client, organization: str) -> None:
        self.client = client
        self.organization = organization
        self.rules = StepRules()
        self.artifact = "web-a"
        self.release = "web-web-a"
        """As the scripted ``prepare_release`` names it."""
        self.source = PlaceFacts(
            environment="dev",
            binding="web-dev",
            artifact="web-a",
            release="r",
            ready=True,
            since=datetime.now(UTC) - timedelta(hours=1),
        )
        self.target = PlaceFacts(
            environment="staging",
            binding="web-staging",
            binding_kind="ServiceBinding",
            artifact="web-0",
            wanted="web-0",
            release="web-old",
            ready=True,
        )
        self.known: tuple[KnownRelease, ...] = ()
        self.running = ""
        self.freeze: FreezeVerdict | None = None
        self.tests_pass: bool | None = True
        self.board = asyncio.Event()
        """Set = whoever is called by a gate answers."""
        self.board.set()
        self.health = asyncio.Event()
        """Set = a watched release keeps its health."""
        self.health.set()
        self.problem = ""
        """Why it cannot be rendered."""
        self.fails: Exception | None = None
        self.faults = 0
        """How often reading facts fails for a technical reason."""
        self.calls: list[tuple[str, Any]] = []
        self.facts: list[AuditFact] = []

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def request(self, key: str = "one", *, automatic: bool = False, **more: Any) -> Any:
        kind = TriggerKind.AUTOMATIC if automatic else TriggerKind.API
        return PromotionRequest(
            **{
                "organization": self.organization,
                "component": "web",
                "environment": "staging",
                "request_id": key,
                "trigger": Trigger(kind=kind, actor="dev"),
                **more,
            }
        )

    async def promote(self, key: str = "one", **more: Any) -> WorkflowHandle[Any, Promotion]:
        return await signal_promotion(self.client, self.request(key, **more))

    async def standing(self) -> Standing:
        return await TemporalStandings(self.client).read(self.organization, "web", "staging")

    async def waits_for(self, handle: WorkflowHandle[Any, Any], step: str) -> OperationStatus:
        """Returns the status once that step is waited in."""
        while True:
            status: OperationStatus = await handle.query("status", result_type=OperationStatus)
            running = [one.name for one in status.steps if one.phase == "Running"]
            if status.waiting_for is not None and step in running:
                return status
            await asyncio.sleep(0.02)

    async def queued(self, handle: WorkflowHandle[Any, Any], *requests: str) -> None:
        """Returns once exactly these wait for their turn."""
        while True:
            status: OperationStatus = await handle.query("status", result_type=OperationStatus)
            if status.queue == requests:
                return
            await asyncio.sleep(0.02)

    async def queue(self) -> OperationStatus:
        """Returns where the deployments of the place stand."""
        place = ids.deploy_id(self.organization, "web", "staging")
        handle = self.client.get_workflow_handle(place)
        status: OperationStatus = await handle.query("status", result_type=OperationStatus)
        return status

    async def approval(self) -> WorkflowHandle[Any, Any]:
        """Returns the approval once it is asked for."""
        place = ids.promotion_id(self.organization, "web", "staging")
        handle = self.client.get_workflow_handle(f"approval/{place}")
        while True:
            try:
                await handle.query("asked")
            except Exception:  # noqa: BLE001 - not there yet, whatever that looks like
                await asyncio.sleep(0.02)
            else:
                return handle

    async def approval_of(self, holds: Callable[[Any], bool]) -> None:
        """Returns once what is asked is as expected."""
        while True:
            approval = await self.approval()
            if holds(await approval.query("asked")):
                return
            await asyncio.sleep(0.02)

    @activity.defn
    async def read_promotion(self, request: PromotionRequest) -> PromotionFacts:
        self.calls.append(("read_promotion", request))
        self._stumble(request.organization)
        artifact = request.artifact or self.source.artifact
        release = self.release or f"web-{artifact}"
        return PromotionFacts(
            organization=request.organization,
            project="shop",
            component=request.component,
            environment=request.environment,
            pipeline="standard",
            first="dev",
            sources=("dev",),
            source=self.source,
            source_queue="plane.local",
            target=self.target,
            target_queue="plane.local",
            artifact=ArtifactFacts(name=artifact, image=IMAGE, version=artifact),
            rules=self.rules,
            standing=await self.standing(),
            release=release,
            hash=f"hash of {release}",
            problem=self.problem,
            freeze=self.freeze,
            at=datetime.now(UTC),
        )

    @activity.defn
    async def change_standing(self, change: StandingChange) -> Standing:
        self.calls.append(("change_standing", change))
        return await TemporalStandings(self.client).change(change)

    @activity.defn
    async def ask_deployment(self, request: DeployRequest) -> None:
        self.calls.append(("ask_deployment", request))
        await TemporalDeployQueues(self.client).ask(request)

    @activity.defn
    async def find_deployment(self, request: DeployRequest) -> FoundDeployment:
        return await TemporalDeployQueues(self.client).look(request)

    @activity.defn
    async def stop_deployment(self, request: DeployRequest) -> OrderState:
        self.calls.append(("stop_deployment", request))
        return await TemporalDeployQueues(self.client).stop(request)

    @activity.defn
    async def point_binding(self, request: PointBinding) -> bool:
        self.calls.append(("point_binding", request))
        return True

    @activity.defn
    async def call_gate(self, call: WebhookCall) -> GateOutcome:
        self.calls.append(("call_gate", call))
        await self.board.wait()
        return GateOutcome(name=call.gate, passed=True, reason="the board agrees")

    @activity.defn
    async def run_gate_tests(self, run: GateTestRun) -> GateOutcome:
        self.calls.append(("run_gate_tests", run))
        return GateOutcome(name=run.gate, passed=self.tests_pass, reason="3 tests", report="...")

    @activity.defn
    async def watch_release(self, request: WatchRelease) -> None:
        self.calls.append(("watch_release", request))
        while not self.health.is_set():
            activity.heartbeat()
            if self.fails is not None:
                raise self.fails
            await asyncio.sleep(0.05)

    @activity.defn
    async def read_rollback(self, request: RollbackRequest) -> RollbackFacts:
        self.calls.append(("read_rollback", request))
        self._stumble(request.organization)
        return RollbackFacts(
            running=self.running,
            artifact=self.artifact,
            image=IMAGE,
            known=self.known,
            standing=await self.standing(),
            freeze=self.freeze,
            at=datetime.now(UTC),
        )

    def _stumble(self, organization: str) -> None:
        """Fails as often as a test says, for a technical reason that no try mends."""
        if organization != self.organization:
            return  # what another test left open
        self.faults -= 1
        if self.faults >= 0:
            raise Errored("the control plane does not let the platform in")

    @activity.defn
    async def read_freeze(self, _: FreezePlace) -> FreezeVerdict:
        return self.freeze or FreezeVerdict(at=datetime.now(UTC))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        return await self.keep(batch)

    async def keep(self, batch: FactBatch) -> Recorded:
        own = [fact for fact in batch.facts if fact.organization == self.organization]
        self.facts += [fact for fact in own if fact.key not in self.keys()]
        return Recorded(facts=len(batch.facts))

    def keys(self) -> list[str]:
        return [fact.key for fact in self.facts]

    def told(self) -> list[str]:
        """What was written down, in order."""
        return [fact.action for fact in self.facts]

    def control(self) -> list[Any]:
        """Activities of the control plane."""
        return [
            self.read_promotion,
            self.change_standing,
            self.ask_deployment,
            self.find_deployment,
            self.stop_deployment,
            self.point_binding,
            self.read_rollback,
            self.read_freeze,
            self.record,
        ]

    def gates(self) -> list[Any]:
        """Calls to other systems."""
        return [self.call_gate]

    def plane(self) -> list[Any]:
        """Activities of the plane."""
        return [self.run_gate_tests, self.watch_release]

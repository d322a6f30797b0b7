"""Procedures that wait for somebody while their workers are killed: stops, freezes, votes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.service import RPCError

from clients.assertions import AssertionSigner
from clients.kubernetes.kinds import Kind
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.appointments import DeployAtRequest
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalRequest, ApprovalRule, ApprovalStanding
from domain.deliveries.break_glass import BreakGlassRequest
from domain.records.stops import Place as StoppedPlace
from domain.records.stops import StopOrder
from tests.durability.declared import COMPONENT
from tests.durability.place import BETTER, ENVIRONMENT, GOOD, Place
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from workflows.appointments.starting import start_deploy_at
from workflows.approvals.approval import ApprovalWorkflow
from workflows.common.waking import tell_freezes
from workflows.rights.starting import start_break_glass
from workflows.starting import carry_out_stop

_FREEZES = Kind("choreo.dev/v1alpha1", "FreezeWindow", "freezewindows", namespaced=True)


async def waits_for(place: Place, what: str) -> None:
    """Waits until the deployment says that it waits for that."""
    handle = place.client.get_workflow_handle(place.queue)
    while True:
        status = await handle.query("status", result_type=OperationStatus)
        if status.waiting_for is not None and what in status.waiting_for.what:
            return
        await asyncio.sleep(0.05)


class Stopped(Scenario):
    name = "deploy stopped"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        await self._order(place, stops=True)
        await place.deploy(GOOD)
        await waits_for(place, "emergency stop")
        await self._order(place, stops=False)

    async def _order(self, place: Place, *, stops: bool) -> None:
        key = f"emergency/{place.name}/{'stop' if stops else 'resume'}"
        where = StoppedPlace(organization=place.name, environment=ENVIRONMENT)
        order = StopOrder(place=where, stops=stops, actor="ada", reason="a fire", key=key,
                          at=datetime.now(UTC))  # fmt: skip
        place.remember(place.client.get_workflow_handle(key))
        await carry_out_stop(place.client, order)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        told = [one["action"] for one in state["fact"]]
        assert told.count("emergency.stopped") == told.count("emergency.resumed") == 1


class Frozen(Scenario):
    name = "deploy frozen"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        schedule = {"start": "2026-01-01T00:00", "duration": "24h", "recurrence": "FREQ=DAILY"}
        await place.apply("FreezeWindow", "always", {"reason": "a party", "schedule": schedule})
        await place.deploy(GOOD)
        await waits_for(place, "freeze always")
        now = datetime.now(UTC)
        override = {"id": "one", "environment": ENVIRONMENT, "by": "ada", "reason": "a fire"}
        override |= {"at": now.isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
        patch = {"status": {"overrides": [override]}}
        await place.cluster.patch(_FREEZES, "always", place.name, patch, "status")
        while not await tell_freezes(place.client, place.name):  # noqa: ASYNC110 - visibility follows
            await asyncio.sleep(0.1)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert [one["action"] for one in state["fact"]].count("freeze.overridden") == 1
        assert phases(state, "Deployment") == ["Succeeded"]


class Votes(Scenario):
    name = "approve"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        people = [
            ApprovalPerson(subject=one, email=f"{one}@acme.example") for one in ("ann", "bob")
        ]
        access = [{"user": one.email, "role": "developer"} for one in people]
        await place.apply("Organization", place.name, {"access": access})
        request = ApprovalRequest(
            subject=f"{place.name}/votes", organization=place.name,
            environment=ENVIRONMENT, asked="promote web", rule=ApprovalRule(quorum=2),
        )  # fmt: skip
        approval = ids.approval_id(request.subject)
        handle = await place.client.start_workflow(
            ApprovalWorkflow.run, request, id=approval, task_queue=ids.LANES_QUEUE
        )
        place.remember(handle)
        signer = AssertionSigner(Path(place.environment["PAVANE_APPROVALS__SIGNING_KEY"]))
        for one in people:
            decision = signer.sign(
                approval, ApprovalDecision(act=Act.APPROVE, hash=request.hash), one
            )
            await handle.execute_update("decide", decision, id=one.subject)

    def facts(self, state: State) -> None:
        (asked,) = state["operation"]
        assert asked["result"]["outcome"] == "approved"
        assert len(asked["result"]["votes"]) == 2


class BreakGlass(Scenario):
    """A right is given once another agreed, and is over by itself, whoever was killed."""

    name = "break glass"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        ann = ApprovalPerson(subject="ann", email="ann@acme.example", groups=("leads",))
        access = [{"user": ann.email, "role": "developer"}]
        policy = {"approval": {"groups": ["leads"]}}
        await place.apply("Organization", place.name, {"access": access, "breakGlass": policy})
        request = BreakGlassRequest(
            organization=place.name, environment=ENVIRONMENT, role="admin",
            person="bob@acme.example", reason="a fire", seconds=20,
        )  # fmt: skip
        handle = await start_break_glass(place.client, request)
        place.remember(handle)
        approval = place.client.get_workflow_handle(ids.approval_id(handle.id))
        while True:
            with suppress(RPCError):  # nobody is asked yet, or no worker answers
                standing = await approval.query("approval", result_type=ApprovalStanding)
                break
            await asyncio.sleep(0.1)
        signer = AssertionSigner(Path(place.environment["PAVANE_APPROVALS__SIGNING_KEY"]))
        asked = ApprovalDecision(act=Act.APPROVE, hash=standing.hash)
        await approval.execute_update("decide", signer.sign(approval.id, asked, ann), id="ann")

    def facts(self, state: State) -> None:
        (asked,) = state["operation"]
        assert asked["result"]["approved_by"] == ["ann@acme.example"]
        told = [one["action"] for one in state["fact"]]
        assert told.count("break-glass.granted") == told.count("break-glass.ended") == 1


class DeployAt(Scenario):
    """What waits for its time is deployed once, whoever was killed."""

    name = "deploy at"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        request = DeployAtRequest(
            organization=place.name, component=COMPONENT, environment=ENVIRONMENT,
            artifact=await place.artifact(BETTER),
            not_before=datetime.now(UTC) + timedelta(seconds=10),
        )  # fmt: skip
        place.remember(await start_deploy_at(place.client, request))

    def facts(self, state: State) -> None:
        assert runs(state) == ["b"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]
        assert [one["action"] for one in state["fact"]].count("deployment.scheduled") == 1


WAITING: tuple[Scenario, ...] = (Stopped(), Frozen(), Votes(), BreakGlass(), DeployAt())

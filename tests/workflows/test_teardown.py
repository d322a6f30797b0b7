from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.parking import Choice, Resolution
from domain.deliveries.secrets import EnsureVaultTenant, VaultTenant
from domain.deliveries.teardown import (
    DeleteParts,
    PartRef,
    PlaneLeft,
    PlaneSweep,
    TeardownNote,
    TeardownRequest,
    TeardownSurvey,
    TornDown,
)
from domain.errors import Denied, Errored
from domain.phases import Phase
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.registry import LANES
from workflows.teardown.starting import signal_teardown
from workflows.teardown.teardown import TeardownWorkflow

pytestmark = pytest.mark.workflows
_THROTTLE = {"max_heartbeat_throttle_interval": timedelta(milliseconds=100)}
EAST = PlaneSweep(
    organization="acme",
    plane="east",
    task_queue="plane.local",
    namespaces=("acme-shop-dev",),
)
WEB = PartRef(kind="Component", name="web")


class Ending:
    """A resource that is being deleted; what surveys tell of it is what the test says."""

    def __init__(self) -> None:
        self.surveys: list[TeardownSurvey] = [TeardownSurvey()]
        self.calls: list[tuple[str, Any]] = []
        self.behaviours: dict[str, Any] = {}
        self.left: list[PlaneLeft] = []
        self.changed = asyncio.Condition()

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def actions(self) -> list[str]:
        batches = [told for name, told in self.calls if name == "record"]
        return [fact.action for batch in batches for fact in batch.facts]

    def told(self) -> list[str]:
        return [note.message for name, note in self.calls if name == "note_teardown"]

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(holds)

    async def _done(self, name: str, argument: Any) -> None:
        async with self.changed:
            self.calls.append((name, argument))
            self.changed.notify_all()
        if name in self.behaviours:
            await self.behaviours[name](argument)

    @activity.defn
    async def survey_teardown(self, request: TeardownRequest) -> TeardownSurvey:
        await self._done("survey_teardown", request)
        return self.surveys.pop(0) if len(self.surveys) > 1 else self.surveys[0]

    @activity.defn
    async def delete_parts(self, request: DeleteParts) -> None:
        await self._done("delete_parts", request)

    @activity.defn
    async def note_teardown(self, note: TeardownNote) -> None:
        await self._done("note_teardown", note)

    @activity.defn
    async def let_go(self, request: TeardownRequest) -> None:
        await self._done("let_go", request)

    @activity.defn
    async def sweep_plane(self, sweep: PlaneSweep) -> PlaneLeft:
        await self._done("sweep_plane", sweep)
        return self.left.pop(0) if self.left else PlaneLeft()

    @activity.defn
    async def await_namespaces_gone(self, sweep: PlaneSweep) -> PlaneLeft:
        await self._done("await_namespaces_gone", sweep)
        return self.left.pop(0) if self.left else PlaneLeft()

    @activity.defn
    async def ensure_vault_tenant(self, request: EnsureVaultTenant) -> VaultTenant:
        await self._done("ensure_vault_tenant", request)
        return VaultTenant()

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        await self._done("record", batch)
        return Recorded()


@pytest.fixture
async def ending(temporal: Client) -> AsyncIterator[Ending]:
    world = Ending()
    async with serving(temporal, world):
        yield world


@asynccontextmanager
async def serving(client: Client, world: Ending) -> AsyncIterator[None]:
    own = await own_client(client)
    control = [
        world.survey_teardown,
        world.delete_parts,
        world.note_teardown,
        world.let_go,
        world.record,
    ]
    plane = [world.sweep_plane, world.await_namespaces_gone]
    workers = [
        Worker(own, task_queue=ids.LANES_QUEUE, workflows=LANES),
        Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control, **_THROTTLE),  # type: ignore[arg-type] # a dict of options
        Worker(own, task_queue=ids.SECRETS_QUEUE, activities=[world.ensure_vault_tenant]),
        Worker(own, task_queue="plane.local", activities=plane, **_THROTTLE),  # type: ignore[arg-type] # a dict of options
    ]
    async with served(workers):
        yield


def request(organization: str, kind: str = "Project", name: str = "shop") -> TeardownRequest:
    return TeardownRequest(organization=organization, kind=kind, name=name, uid="u")


async def begun(
    client: Client, organization: str, **more: str
) -> WorkflowHandle[TeardownWorkflow, TornDown]:
    return await signal_teardown(client, request(organization, **more))


async def test_parts_go_first_then_what_is_on_planes_then_the_resource(
    temporal: Client, ending: Ending, organization: str
) -> None:
    ending.surveys = [TeardownSurvey(remove=(WEB,)), TeardownSurvey(planes=(EAST,))]

    done = await (await begun(temporal, organization)).result()

    effects = [one for one in ending.names() if one not in {"survey_teardown", "note_teardown"}]
    assert effects == ["delete_parts", "record", "sweep_plane", "record", "let_go"]
    assert ending.actions() == ["teardown.parts-deleted", "teardown.done"]
    assert done.message == "Project shop is gone"


async def test_what_others_use_waits_for_them_and_says_so(
    temporal: Client, ending: Ending, organization: str
) -> None:
    ending.surveys = [TeardownSurvey(users=("Environment dev (spec.dataPlaneRef)",))]
    handle = await begun(temporal, organization, kind="DataPlane", name="east")
    await ending.until(lambda: bool(ending.told()))

    status = await handle.query(TeardownWorkflow.status)
    assert status.waiting_for is not None
    assert "Environment dev" in status.waiting_for.what
    assert ending.told() == ["waiting for Environment dev (spec.dataPlaneRef)"]

    ending.surveys = [TeardownSurvey()]
    await begun(temporal, organization, kind="DataPlane", name="east")
    await handle.result()
    assert ending.names()[-1] == "let_go"


async def test_a_namespace_that_hangs_is_told_with_the_reason(
    temporal: Client, ending: Ending, organization: str
) -> None:
    ending.surveys = [TeardownSurvey(planes=(EAST,))]
    ending.left = [
        PlaneLeft(left=("namespace acme-shop-dev: a finalizer remains",)),
        PlaneLeft(left=("namespace acme-shop-dev",)),
    ]

    await (await begun(temporal, organization)).result()

    assert ending.told() == [
        "removing from plane east",
        "waiting for namespace acme-shop-dev: a finalizer remains on plane east",
        "waiting for namespace acme-shop-dev on plane east",
    ]


async def test_an_organization_loses_its_rights_in_openbao(
    temporal: Client, ending: Ending, organization: str
) -> None:
    await (await begun(temporal, organization, kind="Organization", name=organization)).result()

    (revoked,) = [told for name, told in ending.calls if name == "ensure_vault_tenant"]
    assert revoked.places == ()


async def test_what_was_deleted_by_others_ends_it_without_an_effect(
    temporal: Client, ending: Ending, organization: str
) -> None:
    ending.surveys = [TeardownSurvey(gone=True)]

    await (await begun(temporal, organization)).result()

    assert ending.names() == ["survey_teardown"]


async def test_a_cancel_keeps_the_rest_says_so_and_asking_again_goes_on(
    temporal: Client, ending: Ending, organization: str
) -> None:
    ending.surveys = [TeardownSurvey(pending=("Component web",))]
    handle = await begun(temporal, organization)
    await ending.until(lambda: bool(ending.told()))
    await handle.cancel(reason="ada: not this one")

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert "ada: not this one" in ending.told()[-1]
    assert ending.actions() == ["teardown.cancelled"]
    assert (await handle.query(TeardownWorkflow.status)).phase is Phase.CANCELLED

    ending.surveys = [TeardownSurvey()]
    await (await begun(temporal, organization)).result()
    assert ending.names()[-1] == "let_go"


async def test_a_cancel_while_a_plane_is_swept_ends_the_sweep_and_keeps_the_resource(
    temporal: Client, ending: Ending, organization: str
) -> None:
    async def waits(_: object) -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    ending.surveys = [TeardownSurvey(planes=(EAST,))]
    ending.behaviours["sweep_plane"] = waits
    handle = await begun(temporal, organization)
    await ending.until(lambda: "sweep_plane" in ending.names())
    await handle.cancel()

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert "let_go" not in ending.names()
    assert ending.actions() == ["teardown.cancelled"]


async def test_a_cancel_that_comes_while_the_resource_is_let_go_is_too_late(
    temporal: Client, ending: Ending, organization: str
) -> None:
    begun_to, released = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        begun_to.set()
        await released.wait()

    ending.surveys = [TeardownSurvey()]
    ending.behaviours["let_go"] = slow
    handle = await begun(temporal, organization)
    await asyncio.wait_for(begun_to.wait(), 60)
    await handle.cancel()
    released.set()

    assert (await handle.result()).message == "Project shop is gone"
    assert ending.actions() == ["teardown.done"]


async def test_parts_that_are_being_deleted_when_it_is_cancelled_are_told(
    temporal: Client, ending: Ending, organization: str
) -> None:
    begun_to, released = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        begun_to.set()
        await released.wait()

    part = PartRef(kind="Workload", name="web", uid="u")
    ending.surveys = [TeardownSurvey(remove=(part,))]
    ending.behaviours["delete_parts"] = slow
    handle = await begun(temporal, organization)
    await asyncio.wait_for(begun_to.wait(), 60)
    await handle.cancel()
    released.set()

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert ending.actions() == ["teardown.parts-deleted", "teardown.cancelled"]


async def test_a_plane_that_never_comes_back_can_be_skipped_by_a_person(
    temporal: Client, ending: Ending, organization: str
) -> None:
    async def away(_: object) -> None:
        raise Errored("plane east is burnt down")

    ending.surveys = [TeardownSurvey(planes=(EAST,))]
    ending.behaviours["sweep_plane"] = away
    handle = await begun(temporal, organization)
    await ending.until(lambda: "teardown.parked" in ending.actions())
    assert "burnt down" in ending.told()[-1]

    await handle.execute_update(
        TeardownWorkflow.resolve,
        Resolution(choice=Choice.SKIP, reason="insurance paid", actor="ada"),
    )

    await handle.result()
    assert ending.names().count("sweep_plane") == 1
    assert ending.names()[-1] == "let_go"


async def test_a_verdict_ends_it_at_once_and_the_resource_stays(
    temporal: Client, ending: Ending, organization: str
) -> None:
    async def refuses(_: object) -> None:
        raise Denied("the namespace belongs to another organization")

    ending.surveys = [TeardownSurvey(planes=(EAST,))]
    ending.behaviours["sweep_plane"] = refuses
    handle = await begun(temporal, organization)

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert "let_go" not in ending.names()
    assert ending.actions() == ["teardown.failed"]
    assert ending.told()[-1].startswith("its teardown failed: the namespace belongs to another")
    assert not [one for one in ending.told() if "waiting for a person" in one]
    status = await handle.query(TeardownWorkflow.status)
    assert (status.phase, status.parked) == (Phase.FAILED, None)


async def test_what_a_person_gives_up_stays_and_is_told(
    temporal: Client, ending: Ending, organization: str
) -> None:
    async def away(_: object) -> None:
        raise Errored("plane east is burnt down")

    ending.surveys = [TeardownSurvey(planes=(EAST,))]
    ending.behaviours["sweep_plane"] = away
    handle = await begun(temporal, organization)
    await ending.until(lambda: "teardown.parked" in ending.actions())

    await handle.execute_update(
        TeardownWorkflow.resolve,
        Resolution(choice=Choice.COMPENSATE, reason="it may come back", actor="ada"),
    )

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert "let_go" not in ending.names()
    assert ending.actions()[-1] == "teardown.failed"
    assert "given up (it may come back): plane east is burnt down" in ending.told()[-1]

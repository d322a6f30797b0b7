"""Workers with the real workflows and activities that only remember what they were asked."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.builds.lanes import ended_runs, request_slot
from domain import ids
from domain.deliveries import (
    Applied,
    ApplyRelease,
    Build,
    BuildFollow,
    BuildHandle,
    BuildOutcome,
    BuildPlan,
    BuildRecord,
    BuildRefusal,
    BuildRequest,
    BuildStarted,
    BuildTurn,
    Bundle,
    CloseWays,
    Deployment,
    DeployRecord,
    DeployRequest,
    DriftPlace,
    DriftRecord,
    DriftRequest,
    FollowRollout,
    FreezePlace,
    FreezeVerdict,
    Inspection,
    InspectRelease,
    LaneCheck,
    LaneFacts,
    PreparedRelease,
    PutBackRequest,
    ResolvedCommit,
    RolloutReady,
    SlotRequest,
)
from domain.deliveries.probes import ProbeOutcome, ProbeRun
from domain.deliveries.teardown import PlaneLeft, PlaneSweep
from domain.policies import build_admission
from domain.records import FactBatch, Recorded
from tests.servers import temporal_server
from tests.serving import own_client, served
from tests.workflows.building import Building, builds
from tests.workflows.promoting import Line, ScriptedApproval
from workflows.registry import LANES, PROCEDURES

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Behaviour = Callable[[Any], Coroutine[Any, Any, Any]]
Answer = TypeVar("Answer")


def a_release(request: DeployRequest, **changes: Any) -> PreparedRelease:
    name = f"{request.component}-{request.artifact or 'new'}"
    objects = ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}},)
    return PreparedRelease(
        **{
            "organization": request.organization,
            "project": "shop",
            "component": request.component,
            "environment": request.environment,
            "binding": "web-dev",
            "generation": 3,
            "deployment": "web-dev-3",
            "artifact": request.artifact,
            "task_queue": "plane.local",
            "bundle": Bundle(release=name, namespace="acme-shop-dev", objects=objects),
            "previous": Bundle(release="web-old", namespace="acme-shop-dev", objects=objects),
            **changes,
        }
    )


def a_place(**changes: Any) -> DriftPlace:
    objects = ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}},)
    return DriftPlace(
        **{
            "binding": "web-dev",
            "release": "web-one",
            "task_queue": "plane.local",
            "bundle": Bundle(release="web-one", namespace="acme-shop-dev", objects=objects),
            **changes,
        }
    )


class World:
    """Answers every activity, remembers each call, and does what a test replaced."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.behaviours: dict[str, Behaviour] = {}
        self.more: Sequence[Callable[..., Any]] = ()
        """Real activities of the control plane, which it does not play."""
        self.limit = 4
        """How many builds the Organization allows."""
        self.projects: dict[str, str] = {}
        """Project of a component, ``shop`` for all others."""

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def last(self, name: str) -> Any:
        return [argument for called, argument in self.calls if called == name][-1]

    async def _answer(self, name: str, argument: Any, answer: Answer) -> Answer:
        self.calls.append((name, argument))
        replaced: Answer | None = None
        if name in self.behaviours:
            replaced = await self.behaviours[name](argument)
        return answer if replaced is None else replaced

    @activity.defn
    async def resolve_revision(self, request: BuildRequest) -> ResolvedCommit:
        answer = ResolvedCommit(commit=COMMIT, branch="main")
        return await self._answer("resolve_revision", request, answer)

    @activity.defn
    async def register_build(self, request: BuildRequest) -> BuildPlan:
        plan = BuildPlan(
            organization=request.organization,
            project=self.projects.get(request.component, "shop"),
            component=request.component,
            name=ids.build_name(request.component, request.commit),
            repository="https://git.example/acme/web.git",
            commit=request.commit,
            image="registry.example/acme/shop/web",
            task_queue="plane.local",
        )
        return await self._answer("register_build", request, plan)

    @activity.defn
    async def adopt_build(self, request: BuildRequest) -> BuildStarted:
        answer = BuildStarted(
            workflow_id=ids.build_id(request.organization, request.component, request.commit),
            run_id="",
            commit=request.commit,
            existing=True,
        )
        return await self._answer("adopt_build", request, answer)

    @activity.defn
    async def submit_build(self, plan: BuildPlan) -> BuildHandle:
        answer = BuildHandle(namespace="builds-acme", name=plan.name)
        return await self._answer("submit_build", plan, answer)

    @activity.defn
    async def follow_build(self, request: BuildFollow) -> BuildOutcome:
        digest = f"sha256:{'a' * 64}"
        answer = BuildOutcome(digest=digest, image=f"{request.plan.image}@{digest}")
        return await self._answer("follow_build", request, answer)

    @activity.defn
    async def stop_build(self, plan: BuildPlan) -> None:
        await self._answer("stop_build", plan, None)

    @activity.defn
    async def record_build(self, record: BuildRecord) -> Build:
        answer = Build(name=record.plan.name, phase=record.phase, commit=record.plan.commit)
        return await self._answer("record_build", record, answer)

    @activity.defn
    async def refuse_build(self, refusal: BuildRefusal) -> None:
        await self._answer("refuse_build", refusal, None)

    @activity.defn
    async def enter_build_lane(self, request: SlotRequest) -> None:
        await self._answer("enter_build_lane", request, None)
        asked = request.model_copy(update={"limit": self.limit, "generation": 1})
        await request_slot(activity.client(), asked)

    @activity.defn
    async def inspect_build_lane(self, check: LaneCheck) -> LaneFacts:
        ended = await ended_runs(activity.client(), check.holders)
        answer = LaneFacts(limit=self.limit, generation=1, ended=ended)
        return await self._answer("inspect_build_lane", check, answer)

    @activity.defn
    async def show_build_turn(self, turn: BuildTurn) -> None:
        await self._answer("show_build_turn", turn, None)

    @activity.defn
    async def prepare_release(self, request: DeployRequest) -> PreparedRelease:
        return await self._answer("prepare_release", request, a_release(request))

    @activity.defn
    async def apply_release(self, request: ApplyRelease) -> Applied:
        return await self._answer("apply_release", request, Applied(applied=("Service/web",)))

    @activity.defn
    async def sweep_plane(self, sweep: PlaneSweep) -> PlaneLeft:
        return await self._answer("sweep_plane", sweep, PlaneLeft())

    @activity.defn
    async def follow_rollout(self, request: FollowRollout) -> RolloutReady:
        answer = RolloutReady(replicas=2, message="2 of 2 replicas are ready")
        return await self._answer("follow_rollout", request, answer)

    @activity.defn
    async def close_ways(self, request: CloseWays) -> Applied:
        return await self._answer("close_ways", request, Applied(applied=request.policies))

    @activity.defn
    async def probe_ways(self, run: ProbeRun) -> ProbeOutcome:
        return await self._answer("probe_ways", run, ProbeOutcome(tried=len(run.ways)))

    @activity.defn
    async def record_deployment(self, record: DeployRecord) -> Deployment:
        request = record.request
        answer = Deployment(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=request.request_id,
            phase=record.phase,
            release=record.release.bundle.release if record.release else "",
            reason=record.reason,
            message=record.message,
            undone=record.undone,
        )
        return await self._answer("record_deployment", record, answer)

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        return await self._answer("record", batch, Recorded(facts=len(batch.facts)))

    @activity.defn
    async def read_freeze(self, place: FreezePlace) -> FreezeVerdict:
        return await self._answer("read_freeze", place, FreezeVerdict(at=datetime.now(UTC)))

    @activity.defn
    async def read_drift_place(self, request: DriftRequest) -> DriftPlace:
        return await self._answer("read_drift_place", request, a_place())

    @activity.defn
    async def await_deployments(self, request: DriftRequest) -> None:
        await self._answer("await_deployments", request, None)

    @activity.defn
    async def record_drift(self, record: DriftRecord) -> bool:
        return await self._answer("record_drift", record, answer=True)

    @activity.defn
    async def ask_put_back(self, request: DeployRequest) -> None:
        await self._answer("ask_put_back", request, None)

    @activity.defn
    async def await_put_back(self, request: DeployRequest) -> Deployment | None:
        return await self._answer("await_put_back", request, None)

    @activity.defn
    async def inspect_release(self, request: InspectRelease) -> Inspection:
        return await self._answer("inspect_release", request, Inspection(objects=1))

    @activity.defn
    async def put_back_objects(self, request: PutBackRequest) -> Applied:
        return await self._answer("put_back_objects", request, Applied(applied=request.objects))


def _played(world: World, line: Line | None) -> tuple[list[Any], list[Any]]:
    """Returns the activities of the control plane and of the plane."""
    control: list[Any] = [
        *world.more,
        world.resolve_revision,
        world.register_build,
        world.record_build,
        world.refuse_build,
        world.adopt_build,
        world.enter_build_lane,
        world.inspect_build_lane,
        world.show_build_turn,
        world.prepare_release,
        world.record_deployment,
        world.record,
        world.read_freeze,
        world.read_drift_place,
        world.await_deployments,
        world.record_drift,
        world.ask_put_back,
        world.await_put_back,
    ]
    plane: list[Any] = [
        world.submit_build,
        world.follow_build,
        world.stop_build,
        world.apply_release,
        world.sweep_plane,
        world.follow_rollout,
        world.close_ways,
        world.probe_ways,
        world.inspect_release,
        world.put_back_objects,
    ]
    if line is not None:
        control.remove(world.record)
        control.remove(world.read_freeze)
        control += line.control()
        plane += line.plane()
    return control, plane


@asynccontextmanager
async def workers(
    client: Client, world: World, line: Line | None = None, *, hands: int = 100, **options: Any
) -> AsyncIterator[None]:
    """Runs all task queues in this process, as the embedded worker does.

    ``hands`` is how much the control plane works on at once.
    """
    control, plane = _played(world, line)
    lanes: list[type] = [*LANES]
    if line is not None:
        lanes = [*(one for one in LANES if one.__name__ != "ApprovalWorkflow"), ScriptedApproval]
    queues: dict[str, dict[str, Any]] = {
        ids.ORCHESTRATION_QUEUE: {"workflows": PROCEDURES, **options},
        ids.LANES_QUEUE: {"workflows": lanes, **options},
        ids.CONTROL_QUEUE: {
            "activities": control,
            "max_concurrent_activities": hands,
            "max_heartbeat_throttle_interval": timedelta(milliseconds=100),
        },
        "plane.local": {
            "activities": plane,
            "max_heartbeat_throttle_interval": timedelta(milliseconds=100),
        },
    }
    if line is not None:
        queues[ids.GATES_QUEUE] = {"activities": line.gates()}
    own = await own_client(client)
    made = [Worker(own, task_queue=queue, **content) for queue, content in queues.items()]
    async with served(made):
        yield


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def running(temporal: Client, world: World) -> AsyncIterator[World]:
    async with workers(temporal, world):
        yield world


@pytest.fixture
def organization() -> str:
    """A fresh name: ids of one test never meet those of another."""
    return f"org{uuid.uuid4().hex[:10]}"


@pytest.fixture
async def building(temporal: Client, running: World, organization: str) -> AsyncIterator[Building]:
    async with builds(temporal, running, organization) as building:
        yield building


@pytest.fixture
async def line(temporal: Client, world: World, organization: str) -> AsyncIterator[Line]:
    """A pipeline whose facts the test makes; deployments are those of ``world``."""
    line = Line(temporal, organization)
    async with workers(temporal, world, line):
        yield line


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes and builds that look and ask again after moments."""
    monkeypatch.setattr(build_admission, "_FIRST_LOOK", timedelta(milliseconds=200))
    monkeypatch.setattr(build_admission, "_FIRST_REMINDER", timedelta(milliseconds=500))


@pytest.fixture(scope="module")
async def skipping(temporal_program: Path) -> AsyncIterator[Client]:
    """A server that skips the time in which a workflow waits for nothing but time."""
    async with temporal_server(temporal_program, skips_time=True) as client:
        yield client


@pytest.fixture(scope="module")
async def forgetful(temporal_program: Path) -> AsyncIterator[Client]:
    """A server that wants workflows to begin anew after some events."""
    async with temporal_server(temporal_program, longest_history=40) as client:
        yield client


@pytest.fixture(autouse=True)
async def nothing_left_open(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Ends what a test left open: the workers of the next one would go on with it."""
    clients: list[Client] = [
        request.getfixturevalue(name)
        for name in ("temporal_server", "skipping", "forgetful")
        if name in request.fixturenames
    ]
    yield
    for client in clients:
        async for left in client.list_workflows("ExecutionStatus = 'Running'"):
            with suppress(RPCError):  # it ended in this moment
                await client.get_workflow_handle(left.id, run_id=left.run_id).terminate("test over")

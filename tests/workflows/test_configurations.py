from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import (
    ApprovalRule,
    BindingConfigured,
    ConfigurationConsumer,
    ConfigurationNote,
    ConfigurationPlan,
    ConfigurationRelease,
    ConfigurationRequest,
    ConfigureBinding,
    Trigger,
)
from domain.deliveries.approval_votes import Act
from domain.errors import DependencyUnavailable
from domain.phases import Phase
from domain.records.stops import Place, Standing, Stop
from tests.serving import own_client, served
from tests.workflows.approving import ANN, BOB, Approvals, Open
from workflows.approvals.approval import ApprovalWorkflow
from workflows.configurations.release import ConfigurationWorkflow
from workflows.configurations.starting import signal_configuration

pytestmark = pytest.mark.workflows

PEOPLE = ApprovalRule(quorum=1)


def consumer(component: str, environment: str, *rules: ApprovalRule) -> ConfigurationConsumer:
    return ConfigurationConsumer(
        binding_kind="ServiceBinding",
        binding=f"{component}-{environment}",
        component=component,
        project="shop",
        environment=environment,
        keys=("a",),
        hash=f"{component}{environment}".ljust(64, "0"),
        release=f"{component}-{environment}-1",
        gated=bool(rules),
        rules=rules,
    )


class ConfiguredWorld(Approvals):
    """One group: who runs with something else than it says is who was not deployed with it."""

    def __init__(self, client: Client, keys: Path) -> None:
        super().__init__(client, keys)
        self.revision = "db-1"
        self.users = [[consumer("api", "dev"), consumer("web", "dev")], [consumer("web", "prod")]]
        self.runs: dict[str, str] = {}
        """Binding -> revision."""
        self.problems: tuple[str, ...] = ()
        self.max_failures = 0
        self.ends: dict[str, Phase] = {}
        """Binding -> how its deployments end, if not well."""
        self.restored: list[str] = []
        self.notes: list[ConfigurationNote] = []
        self.asked: list[tuple[str, str]] = []
        """Binding and revision of each deployment, in order."""
        self.on_deploy: Callable[[str], Any] | None = None
        self.on_plan: Callable[[], Any] | None = None
        self.stops: list[Stop] = []
        self.on_note: Callable[[ConfigurationNote], Any] | None = None

    @activity.defn
    async def plan_configuration(self, _request: ConfigurationRequest) -> ConfigurationPlan:
        if self.on_plan is not None:
            await self.on_plan()
        waves = [
            tuple(one for one in wave if self.runs.get(one.binding) != self.revision)
            for wave in self.users
        ]
        return ConfigurationPlan(
            revision=self.revision,
            waves=tuple(wave for wave in waves if wave),
            problems=self.problems,
            max_at_once=1,
            max_failures=self.max_failures,
        )

    @activity.defn
    async def restore_configuration(self, request: ConfigurationRequest) -> str:
        self.restored.append(request.restore)
        self.revision = request.restore
        return self.revision

    @activity.defn
    async def configure_binding(self, request: ConfigureBinding) -> BindingConfigured:
        one = request.consumer
        self.asked.append((one.binding, request.revision))
        if self.on_deploy is not None:
            await self.on_deploy(one.binding)
        phase = self.ends.get(one.binding, Phase.SUCCEEDED)
        if phase is Phase.SUCCEEDED:
            self.runs[one.binding] = request.revision
        return BindingConfigured(
            binding=one.binding,
            component=one.component,
            environment=one.environment,
            phase=phase,
            message="" if phase is Phase.SUCCEEDED else "pods are missing",
        )

    @activity.defn
    async def note_configuration(self, note: ConfigurationNote) -> None:
        self.notes.append(note)
        if self.on_note is not None:
            await self.on_note(note)

    @activity.defn
    async def read_stops(self, _place: Place) -> Standing:
        return Standing(stops=tuple(self.stops))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        own = await own_client(self.client)
        control: list[Callable[..., Any]] = [
            self.plan_configuration,
            self.restore_configuration,
            self.configure_binding,
            self.note_configuration,
            self.read_stops,
            self._activities.check_people,
            self.send_notice,
            self.record,
        ]
        throttle = timedelta(milliseconds=100)
        lanes = [ApprovalWorkflow, ConfigurationWorkflow]
        made = [
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=lanes, max_cached_workflows=0),
            Worker(
                own,
                task_queue=ids.CONTROL_QUEUE,
                activities=control,
                max_heartbeat_throttle_interval=throttle,
            ),
        ]
        async with served(made):
            yield

    def says(self, organization: str) -> list[Phase]:
        """What the status of the group was told, in order."""
        assert organization
        return [one.phase for one in self.notes]


@pytest.fixture
async def world(temporal: Client, tmp_path: Path) -> AsyncIterator[ConfiguredWorld]:
    made = ConfiguredWorld(temporal, tmp_path)
    async with made.serving():
        yield made


Release = WorkflowHandle[ConfigurationWorkflow, ConfigurationRelease]


async def release(client: Client, organization: str, **more: Any) -> Release:
    request = ConfigurationRequest(organization=organization, group="db", **more)
    return await signal_configuration(client, request)


async def reason(handle: Release) -> str:
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    cause = ended.value.cause
    assert isinstance(cause, ApplicationError)
    return cause.message


async def opened(
    world: ConfiguredWorld, organization: str, place: str, *, other_than: str = ""
) -> Open:
    """Returns the approval of a place once it is open, and about something else if that is so."""
    subject = f"{ids.configuration_id(organization, 'db')}/{place}"
    handle = world.client.get_workflow_handle_for(ApprovalWorkflow.run, ids.approval_id(subject))
    async with asyncio.timeout(60):
        while True:
            with suppress(RPCError):  # nobody was asked yet
                standing = await handle.query(ApprovalWorkflow.approval)
                if standing.hash != other_than and standing.outcome is None:
                    return Open(world, handle, standing.request)
            await asyncio.sleep(0.05)


async def test_exactly_those_touched_are_deployed_one_place_after_the_other(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.runs = {"api-dev": "db-1"}

    done = await (await release(temporal, organization)).result()

    assert world.asked == [("web-dev", "db-1"), ("web-prod", "db-1")]
    assert (len(done.deployed), done.revision) == (2, "db-1")
    assert world.says(organization) == [Phase.RUNNING, Phase.SUCCEEDED]
    assert [one.action for one in world.facts] == ["configuration.released"]


async def test_what_cannot_be_used_is_refused_by_name_and_nothing_is_deployed(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.problems = ("web in prod: key database.url has no value",)

    told = await reason(await release(temporal, organization))

    assert "web in prod: key database.url has no value" in told
    assert world.asked == []
    assert world.says(organization) == [Phase.RUNNING, Phase.FAILED]


async def test_a_failure_stops_the_release_before_the_next_place(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.ends = {"api-dev": Phase.FAILED}

    told = await reason(await release(temporal, organization))

    assert told.startswith("1 deployments failed and 0 may: api in dev: pods are missing")
    assert world.asked == [("api-dev", "db-1")]
    assert [one.result for one in world.facts] == ["failed"]


async def test_failures_that_are_allowed_are_not_tried_again_and_do_not_stop_it(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.ends, world.max_failures = {"api-dev": Phase.FAILED}, 1

    done = await (await release(temporal, organization)).result()

    assert [one for one, _ in world.asked] == ["api-dev", "web-dev", "web-prod"]
    assert [one.component for one in done.failed] == ["api"]


async def test_a_place_that_is_held_is_left_as_it_is_and_told(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.ends = {"web-dev": Phase.DENIED}

    done = await (await release(temporal, organization)).result()

    assert done.left == ("web in dev: pods are missing",)
    assert done.failed == ()
    assert [one for one, _ in world.asked] == ["api-dev", "web-dev", "web-prod"]


async def test_a_newer_change_takes_the_place_of_the_one_that_runs(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    async def changes(binding: str) -> None:
        if binding == "api-dev" and world.revision == "db-1":
            world.revision = "db-2"
            await release(temporal, organization)

    world.on_deploy = changes
    done = await (await release(temporal, organization)).result()

    assert world.asked == [
        ("api-dev", "db-1"),
        ("api-dev", "db-2"),
        ("web-dev", "db-2"),
        ("web-prod", "db-2"),
    ]
    assert done.revision == "db-2"
    assert [(one.revision, one.phase) for one in world.notes] == [
        ("db-1", Phase.RUNNING),
        ("db-1", Phase.SUPERSEDED),
        ("db-2", Phase.RUNNING),
        ("db-2", Phase.SUCCEEDED),
    ]


async def test_what_is_asked_for_while_the_end_is_written_down_is_not_lost(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    async def asks(note: ConfigurationNote) -> None:
        if (note.revision, note.phase) == ("db-1", Phase.SUCCEEDED):
            world.revision = "db-2"
            await release(temporal, organization)

    world.on_note = asks
    done = await (await release(temporal, organization)).result()

    assert done.revision == "db-2"
    assert set(world.runs.values()) == {"db-2"}
    assert [one.action for one in world.facts] == ["configuration.released"] * 2


async def test_what_is_asked_for_while_a_failure_is_written_down_is_not_lost(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    async def asks(note: ConfigurationNote) -> None:
        if note.phase is Phase.FAILED:
            world.ends = {}
            await release(temporal, organization, restore="db-0")

    world.ends, world.on_note = {"api-dev": Phase.FAILED}, asks
    done = await (await release(temporal, organization)).result()

    assert (done.revision, done.failed) == ("db-0", ())


async def test_what_could_not_be_used_is_refused_again_when_it_is_asked_for_at_the_end(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    async def asks(note: ConfigurationNote) -> None:
        if world.says(organization) == [Phase.RUNNING, Phase.FAILED]:
            await release(temporal, organization)

    world.problems, world.on_note = ("web in prod: key a has no value",), asks
    told = await reason(await release(temporal, organization))

    assert "web in prod: key a has no value" in told
    assert world.says(organization) == [Phase.RUNNING, Phase.FAILED] * 2


async def test_a_rollback_has_the_group_say_again_what_it_said_and_brings_that(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.revision = "db-2"
    world.runs = {"api-dev": "db-2", "web-dev": "db-2", "web-prod": "db-1"}

    asked = {"restore": "db-1", "trigger": Trigger(actor="ann")}
    done = await (await release(temporal, organization, **asked)).result()

    assert world.restored == ["db-1"]
    assert [one for one, _ in world.asked] == ["api-dev", "web-dev"]
    assert done.revision == "db-1"
    assert [one.action for one in world.facts] == [
        "configuration.restored",
        "configuration.released",
    ]


async def test_a_place_that_asks_for_people_waits_for_them_and_gets_what_they_saw(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.users[1] = [consumer("web", "prod", PEOPLE)]
    handle = await release(temporal, organization, trigger=Trigger(actor=ANN.email))

    approval = await opened(world, organization, "prod")
    assert [one for one, _ in world.asked] == ["api-dev", "web-dev"]
    assert "web: a" in approval.request.details
    with pytest.raises(Exception, match="failed"):
        await approval.decide(ANN)  # who asked for it
    await approval.decide(BOB)
    await handle.result()

    assert world.asked[-1] == ("web-prod", "db-1")


async def test_a_change_while_people_decide_is_asked_about_anew(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.users = [[consumer("web", "prod", PEOPLE)]]
    handle = await release(temporal, organization)
    first = await opened(world, organization, "prod")

    world.revision = "db-2"
    await release(temporal, organization)
    second = await opened(world, organization, "prod", other_than=first.request.hash)

    await second.decide(BOB)
    await handle.result()
    assert world.asked == [("web-prod", "db-2")]


async def test_a_refusal_by_people_leaves_the_place_as_it_is(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.users = [[consumer("web", "prod", PEOPLE)]]
    handle = await release(temporal, organization)
    await (await opened(world, organization, "prod")).decide(BOB, Act.REJECT)

    assert "seen" in await reason(handle)
    assert world.asked == []
    assert world.says(organization) == [Phase.RUNNING, Phase.DENIED]


async def test_a_cancel_begins_no_further_deployment_and_says_so_on_the_group(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    begun = asyncio.Event()

    async def waits(_: str) -> None:
        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    world.on_deploy = waits
    handle = await release(temporal, organization)
    await begun.wait()
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert [one for one, _ in world.asked] == ["api-dev"]
    assert world.says(organization) == [Phase.RUNNING, Phase.CANCELLED]
    assert [one.action for one in world.facts] == ["configuration.cancelled"]


async def test_a_cancel_while_nobody_can_tell_what_to_do_leaves_the_group_as_it_was(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    looks = asyncio.Event()

    async def away() -> None:
        looks.set()
        raise DependencyUnavailable("the API server does not answer")

    world.on_plan = away
    handle = await release(temporal, organization)
    await looks.wait()
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert world.notes == []
    assert [one.action for one in world.facts] == ["configuration.cancelled"]
    assert (await handle.query(ConfigurationWorkflow.status)).phase is Phase.CANCELLED


async def test_a_group_that_says_nothing_yet_brings_nothing_to_anybody(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.revision, world.users = "", []

    done = await (await release(temporal, organization)).result()

    assert (done.revision, done.deployed) == ("", ())
    assert world.notes == []


async def test_a_stop_in_the_middle_holds_the_next_place_back_until_it_is_lifted(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    async def stops(binding: str) -> None:
        if binding == "web-dev":
            place = Place(organization=organization)
            fire = Stop(place=place, actor="ada", reason="fire", since=datetime.now(UTC))
            world.stops = [fire]
            await handle.signal(ConfigurationWorkflow.stop_changed)

    async def is_parked() -> bool:
        status = await handle.query(ConfigurationWorkflow.status)
        return status.waiting_for is not None and "emergency stop" in status.waiting_for.what

    world.on_deploy = stops
    subject = ids.configuration_id(organization, "db")
    handle = temporal.get_workflow_handle_for(ConfigurationWorkflow.run, subject)
    await release(temporal, organization)
    async with asyncio.timeout(60):
        while not world.stops or not await is_parked():  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
    before = [one for one, _ in world.asked]
    world.stops = []
    await handle.signal(ConfigurationWorkflow.stop_changed)
    await handle.result()

    assert before == ["api-dev", "web-dev"]
    assert world.asked[-1] == ("web-prod", "db-1")


async def test_a_cancel_while_people_decide_takes_the_question_back(
    temporal: Client, world: ConfiguredWorld, organization: str
) -> None:
    world.users = [[consumer("web", "prod", PEOPLE)]]
    handle = await release(temporal, organization)
    approval = await opened(world, organization, "prod")
    await handle.cancel()

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    with pytest.raises(WorkflowFailureError):
        await approval.handle.result()
    assert world.asked == []

"""Runs a scenario undisturbed, finds its points, runs it once per point, compares the ends."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from clients.kubernetes import Cluster
from clients.kubernetes.kinds import Kind
from domain.errors import PlatformError
from domain.rendering import labels as names
from domain.resources import KINDS
from tests.durability.audit import audit_of
from tests.durability.lane import Lane
from tests.durability.orders import Order, without_organization
from tests.durability.place import Place
from tests.durability.points import Point, points_of, points_of_asking
from tests.durability.recovery import recovery
from tests.durability.scenario import Scenario
from tests.durability.state import State, differences, normalised, state_of
from tests.durability.vaults import Vault
from workflows.builds.lane import BuildLaneWorkflow
from workflows.planes.check import PlaneCheckWorkflow
from workflows.promotions.standing import StandingWorkflow

LONGEST = 300.0
"""Seconds one run may take before it counts as hanging."""
_SETTLING = 45.0
"""Seconds within which pods that were told to end have ended."""
_NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


@dataclass(frozen=True)
class Recorded:
    """One undisturbed run."""

    scenario: Scenario
    points: tuple[Point, ...]
    before: State
    end: State
    """How it ended; empty = nobody looked, and its facts say enough."""
    seconds: float


@dataclass
class Outcome:
    """One disturbed run."""

    scenario: str
    point: str
    problems: list[str] = field(default_factory=list)
    recovery: float | None = None
    """Seconds from the kill until a worker took the work up again."""
    seconds: float = 0.0


@asynccontextmanager
async def a_place(
    lane: Lane, cluster: Cluster, scenario: Scenario | None = None
) -> AsyncIterator[Place]:
    """A fresh organization, removed afterwards."""
    place = Place(
        f"k{secrets.token_hex(4)}",
        cluster=cluster,
        client=lane.client,
        environment=lane.environment,
    )
    place.folder = lane.folder / "source" / place.name
    place.times = scenario.times if scenario else 1
    await place.declare(builds=not (scenario and scenario.by_intake))
    try:
        yield place
    finally:
        await _remove(cluster, place.name)


async def _remove(cluster: Cluster, organization: str) -> None:
    """Deletes everything without waiting; no worker is left that would take finalizers away."""
    with suppress(PlatformError):
        await let_go_of_all(cluster, organization)
        selector = f"{names.ORGANIZATION}={organization}"
        for namespace in (await cluster.list(_NAMESPACES, labels=selector)).items:
            await cluster.delete(_NAMESPACES, namespace["metadata"]["name"])
        await cluster.delete(_NAMESPACES, organization)
        model = KINDS["Organization"]
        kind = Kind(model.api_version, "Organization", model.plural, namespaced=False)
        await cluster.delete(kind, organization)


async def let_go_of_all(cluster: Cluster, organization: str) -> None:
    """Takes the finalizers from everything of an organization, as no platform will."""
    for model in KINDS.values():
        kind = Kind(model.api_version, model.kind, model.plural, namespaced=True)
        where = organization
        if model.scope == "Cluster":
            kind, where = Kind(model.api_version, model.kind, model.plural, namespaced=False), ""
        for one in (await cluster.list(kind, where)).items:
            name, held = one["metadata"]["name"], one["metadata"].get("finalizers")
            if held and (where or name == organization):
                await cluster.patch(kind, name, where, {"metadata": {"finalizers": None}})


async def forget_all(cluster: Cluster) -> None:
    """Removes the organizations of a sweep that was killed: their builds would go on."""
    model = KINDS["Organization"]
    kind = Kind(model.api_version, "Organization", model.plural, namespaced=False)
    for one in (await cluster.list(kind)).items:
        name = one["metadata"]["name"]
        if re.fullmatch(r"k[0-9a-f]{8}", name):
            await _remove(cluster, name)


async def whole_state(place: Place) -> State:
    found = await state_of(place.cluster, place.name)
    found |= normalised({"operation": await place.outcomes()}, place.name)
    audit = await audit_of(place.environment["PAVANE_RECORDS__URL"], place.name)
    found |= normalised(audit, place.name)
    secrets = await asyncio.to_thread(Vault(place).versions)
    return found | normalised({"secret": secrets}, place.name)


async def settled(place: Place) -> State:
    """The state once no pod is going and nothing changed between two looks."""
    deadline = time.monotonic() + _SETTLING
    last: State = {}
    while True:
        found = await whole_state(place)
        if found == last and not any(pod["going"] for pod in found["plane Pod"]):
            return found
        if time.monotonic() > deadline:
            return found
        last = found
        await asyncio.sleep(0.5)


async def record(scenario: Scenario, lane: Lane, cluster: Cluster) -> Recorded:
    """Runs the scenario undisturbed and lists the points of its histories."""
    async with a_place(lane, cluster, scenario) as place, asyncio.timeout(LONGEST):
        await scenario.before(place)
        await place.ended()
        before = await settled(place)
        known = len(lane.traces(place.name))
        place.operations.clear()
        start = time.monotonic()
        await scenario.act(place)
        await place.ended()
        seconds = time.monotonic() - start
        end = await settled(place)
        try:
            scenario.facts(end)
        except AssertionError as error:
            error.add_note(json.dumps(end["operation"] + end["plane Pod"], indent=1))
            raise
        await asyncio.sleep(0.1)  # the last trace is written after the last answer
        traces = lane.traces(place.name)[known:]
        points = points_of_asking(traces) if scenario.by_intake else list[Point]()
        for handle in () if scenario.by_intake else place.operations.values():
            history = await handle.fetch_history()
            workflow = without_organization(handle.id)
            points += points_of(workflow, history.events, traces)
    wanted = (one for one in points if any(words in str(one) for words in scenario.only))
    return Recorded(scenario, tuple(wanted), before, end, seconds)


async def disturbed(recorded: Recorded, point: Point, lane: Lane, cluster: Cluster) -> Outcome:
    """Runs the scenario with the worker killed at one point and compares the ends."""
    outcome = Outcome(recorded.scenario.name, str(point))
    start = time.monotonic()
    try:
        async with (
            a_place(lane, cluster, recorded.scenario) as place,
            asyncio.timeout(LONGEST),
        ):
            await recorded.scenario.before(place)
            await place.ended()
            place.operations.clear()
            failures: list[str] = []
            async with AsyncExitStack() as stack:
                for observer in recorded.scenario.observers(place, failures):
                    await stack.enter_async_context(observer)
                await _kill(recorded, point, lane, place, outcome)
                outcome.problems += await ended_well(place, recorded)
            if failures:
                outcome.problems.append(f"{len(failures)} times seen from outside: {set(failures)}")
    except TimeoutError as error:
        outcome.problems.append(f"hangs: {error}")
    finally:
        lane.disarm()
    outcome.seconds = time.monotonic() - start
    return outcome


async def repeated(
    recorded: Recorded, lane: Lane, cluster: Cluster, *, what: str, times: int = 1
) -> Outcome:
    """Runs the scenario undisturbed on other workers, or with each request sent several times."""
    outcome = Outcome(recorded.scenario.name, what)
    start = time.monotonic()
    try:
        async with (
            a_place(lane, cluster, recorded.scenario) as place,
            asyncio.timeout(LONGEST),
        ):
            place.times = max(times, place.times)
            await recorded.scenario.before(place)
            await place.ended()
            place.operations.clear()
            await recorded.scenario.act(place)
            await place.ended()
            outcome.problems += await compared(place, recorded.end)
    except TimeoutError as error:
        outcome.problems.append(f"hangs: {error}")
    outcome.seconds = time.monotonic() - start
    return outcome


async def _kill(
    recorded: Recorded, point: Point, lane: Lane, place: Place, outcome: Outcome
) -> None:
    kills = len(lane.kills)
    lane.arm(Order(place.name, point))
    await recorded.scenario.act(place)
    await place.ended()
    if not lane.is_carried_out:
        outcome.problems.append("the point was not met")
        return
    while len(lane.kills) == kills:  # noqa: ASYNC110 - the process's end is being reaped
        await asyncio.sleep(0.02)
    outcome.recovery = await recovery(place, lane.kills[-1])


async def ended_well(place: Place, recorded: Recorded) -> list[str]:
    """What is wrong with the end: it is other than the recorded one, or than what must hold."""
    if recorded.end:
        return await compared(place, recorded.end)
    try:
        recorded.scenario.facts(await settled(place))
    except AssertionError as error:
        return [f"{error!r}"[:2000]]
    return await leftovers(place)


async def compared(place: Place, expected: State) -> list[str]:
    """What differs from the expected end once it had time to settle."""
    deadline = time.monotonic() + _SETTLING
    while True:
        found = await whole_state(place)
        problems = differences(expected, found)
        if not problems or time.monotonic() > deadline:
            return problems + await leftovers(place)
        await asyncio.sleep(0.5)


async def leftovers(place: Place) -> list[str]:
    """What still runs although all is over; a lane of builds that nobody uses ends by itself."""
    deadline = time.monotonic() + _SETTLING
    while True:
        left = [each async for each in _running(place)]
        if not left or time.monotonic() > deadline:
            return [f"still runs: {each}" for each in left]
        await asyncio.sleep(0.5)


async def _running(place: Place) -> AsyncIterator[str]:
    query = f"PavaneOrganization='{place.name}' AND ExecutionStatus='Running'"
    async for one in place.client.list_workflows(query):
        if one.workflow_type in {StandingWorkflow.__name__, PlaneCheckWorkflow.__name__}:
            continue  # one remembers a place for good, one looks after a plane for good
        if one.workflow_type != BuildLaneWorkflow.__name__:
            yield one.id
            continue
        handle = place.client.get_workflow_handle(one.id)
        lane = await handle.query(BuildLaneWorkflow.lane)
        if lane.holders or lane.waiting:
            yield f"{one.id} with {len(lane.holders)} holders and {len(lane.waiting)} waiting"

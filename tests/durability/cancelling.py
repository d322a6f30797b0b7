"""Cancels a scenario at one of its points: all is undone and told, or it was too late."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from clients.kubernetes import Cluster
from tests.durability.lane import Lane
from tests.durability.orders import GO, Order, without_organization
from tests.durability.place import Place
from tests.durability.points import Point
from tests.durability.state import State, differences, running
from tests.durability.sweep import (
    LONGEST,
    Outcome,
    Recorded,
    a_place,
    leftovers,
    settled,
)
from tests.durability.vaults import PATH

_RECORDS = ("Deployment", "Build")
_UNFINISHED = {None, "", "Running", "Pending"}
_WATCH = "watch_release"
_TOLD = {
    "deploy-at": "deployment.unscheduled",
    "promotion": "promotion.cancelled",
    "rollback": "rollback.cancelled",
    "set": "set.cancelled",
    "task-run": "task-run.cancelled",
}
"""The fact of a cancel, by kind: what they ask for is recorded by the deployment, if it came so
far; a run of a task has no record."""
_APPLIES = {"apply_release", "follow_rollout"}


async def cancelled(recorded: Recorded, point: Point, lane: Lane, cluster: Cluster) -> Outcome:
    """Runs the scenario, cancels it at a point of an activity, and judges the end."""
    async with _readied(recorded, point, lane, cluster) as (place, outcome):
        before = await settled(place)
        acting = await _held(recorded, point, lane, place)
        await _cancel(place, point)
        (lane.folder / GO).touch()
        await acting
        await place.ended()
        end = await settled(place)
        outcome.problems += judged(point, before, end, recorded.end)
    return outcome


async def resumed(recorded: Recorded, point: Point, lane: Lane, cluster: Cluster) -> Outcome:
    """Cancels what nothing undoes; asked for again, it comes to the undisturbed end."""
    async with _readied(recorded, point, lane, cluster) as (place, outcome):
        acting = await _held(recorded, point, lane, place)
        handle = await _cancel(place, point)
        (lane.folder / GO).touch()
        was_stopped = await _was_stopped(handle)
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        if was_stopped:
            outcome.problems += await recorded.scenario.stopped(place)
        await recorded.scenario.act(place)
        await place.ended()
        end = await settled(place)
        stops = [one for one in end["fact"] if one["action"].endswith(".cancelled")]
        if len(stops) != was_stopped:
            outcome.problems.append(f"{len(stops)} facts tell of the cancel")
        end["fact"] = [one for one in end["fact"] if one not in stops]
        outcome.problems += differences(_unnumbered(recorded.end), _unnumbered(end))
    return outcome


@asynccontextmanager
async def _readied(
    recorded: Recorded, point: Point, lane: Lane, cluster: Cluster
) -> AsyncIterator[tuple[Place, Outcome]]:
    """A place in which the scenario can begin, and what is wrong when the block is over."""
    outcome = Outcome(f"cancel {recorded.scenario.name}", str(point))
    start = time.monotonic()
    try:
        async with a_place(lane, cluster) as place, asyncio.timeout(LONGEST):
            await recorded.scenario.before(place)
            await place.ended()
            yield place, outcome
            outcome.problems += await leftovers(place)
    except TimeoutError as error:
        outcome.problems.append(f"hangs: {error}")
    finally:
        lane.disarm()
        (lane.folder / GO).touch()
    outcome.seconds = time.monotonic() - start


async def _held(recorded: Recorded, point: Point, lane: Lane, place: Place) -> asyncio.Task[None]:
    """Begins the scenario; returns when a worker holds at the point."""
    place.operations.clear()
    lane.arm(Order(place.name, point, "hold"))
    acting = asyncio.create_task(recorded.scenario.act(place))
    await lane.carried_out(LONGEST)
    return acting


def _unnumbered(state: State) -> State:
    """Each run numbers its steps itself, and there was one more."""
    facts = [{**one, "key": re.sub(r"-\d+$", "", one["key"])} for one in state["fact"]]
    return {**state, "fact": facts}


async def _cancel(place: Place, point: Point) -> WorkflowHandle[Any, Any]:
    """Cancels the run that a point is of, and returns it."""
    while True:
        for workflow_id in place.operations:
            if without_organization(workflow_id) == point.workflow:
                run = (await place.client.get_workflow_handle(workflow_id).describe()).run_id
                handle = place.client.get_workflow_handle(workflow_id, run_id=run)
                await handle.cancel()
                return handle
        await asyncio.sleep(0.02)


async def _was_stopped(handle: WorkflowHandle[Any, Any]) -> bool:
    """Waits for the end; False = the cancel came too late and it is done."""
    try:
        await handle.result()
    except WorkflowFailureError as error:
        if isinstance(error.cause, CancelledError):
            return True
        raise
    return False


def judged(point: Point, before: State, end: State, undisturbed: State) -> list[str]:
    """What is wrong with the end of a run that was cancelled."""
    (operation,) = (one for one in end["operation"] if one["workflow"] == point.workflow)
    if operation["status"] != "CANCELED":
        return [f"not cancelled, but: {each}" for each in differences(undisturbed, end)]
    # A release that is only watched stays: the cancel ends the watch.
    stays = point.name == _WATCH
    problems = differences(running(undisturbed if stays else before), running(end))
    for kind in _RECORDS:
        phases = [one["status"].get("phase") for one in end[kind]]
        problems += [f"{kind} is left {each}" for each in phases if each in _UNFINISHED]
    records = [one for kind in _RECORDS for one in end[kind]]
    told = [one["status"] for one in records if one["status"].get("phase") == "Cancelled"]
    if point.workflow.startswith("rotation/"):
        # What is in use is what was in use before, whichever step was undone.
        secrets = [(one["active"], one["readable"][0], sum(one["readable"]), one["rotates"])
                   for one in end["secret"] if one["path"] == PATH]  # fmt: skip
        facts = [one for one in end["fact"] if one["action"] == "rotation.cancelled"]
        if (set(secrets), len(facts)) != ({(1, True, 1, False)}, 1):
            problems.append(f"{secrets} is left, and {len(facts)} facts tell of the cancel")
        return problems
    kind, _, _ = point.workflow.partition("/")
    if action := _TOLD.get(kind):
        facts = [one for one in end["fact"] if one["action"] == action]
        return (
            problems if len(facts) == 1 else [*problems, f"{len(facts)} facts tell of the cancel"]
        )
    # A request of a build that was cancelled has begun nothing there would be a record of.
    expected = 0 if point.workflow.startswith("build-request/") else 1
    if len(told) != expected:
        problems.append(f"{len(told)} records tell of the cancel")
    elif (
        told
        and point.name in _APPLIES
        and not any(word in told[0]["message"] for word in ("restored", "removed"))
    ):
        problems.append(f"what was undone is not told: {told[0]['message']}")
    return problems

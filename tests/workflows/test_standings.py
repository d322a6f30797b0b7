from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from domain import ids
from domain.deliveries.standings import Hold, Pin, StandingChange, Veto
from domain.errors import DependencyUnavailable, Errored
from domain.records import FactBatch, Recorded
from tests.workflows.conftest import World, workers
from tests.workflows.promoting import Line
from workflows.promotions.standings import TemporalStandings

pytestmark = pytest.mark.workflows
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def change(line: Line, key: str, **more: object) -> StandingChange:
    place = {"organization": line.organization, "component": "web", "environment": "staging"}
    return StandingChange.model_validate({**place, "key": key, "at": NOW, **more})


async def written(line: Line, count: int) -> list[tuple[str, str, str]]:
    """Returns what was written down, once it is so much."""
    while True:
        if len(line.facts) >= count:
            break
        await asyncio.sleep(0.02)
    return [(one.action, one.actor, one.reason) for one in line.facts]


async def test_what_a_person_places_and_lifts_is_written_down_once(line: Line) -> None:
    standings = TemporalStandings(line.client)
    veto = Veto(artifact="web-a", reason="it leaks", since=NOW)
    await standings.change(change(line, "1", hold=Hold(reason="wait", since=NOW), veto=veto))
    placed = Hold(reason="audit", by="ada", since=NOW)
    await standings.change(change(line, "2", hold=placed, by="ada", reason="audit"))
    lifted = {"lift_hold": True, "lift_veto": "web-a"}
    for _ in range(2):
        await standings.change(change(line, "3", **lifted, by="dev", reason="all is well"))
    await standings.change(change(line, "4", **lifted, by="dev", reason="again"))
    await standings.change(change(line, "5", hold=placed, by="eve", reason="last"))

    assert await written(line, 4) == [
        ("hold.placed", "ada", "audit"),
        ("hold.lifted", "dev", "all is well"),
        ("veto.lifted", "dev", "all is well"),
        ("hold.placed", "eve", "last"),
    ]


@pytest.mark.parametrize("away", [False, True])
async def test_what_is_remembered_for_long_goes_on_in_a_new_run_and_nothing_written_is_lost(
    forgetful: Client,
    world: World,
    organization: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    away: bool,
) -> None:
    line = Line(forgetful, organization)
    is_away, write = asyncio.Event(), line.keep

    async def keep(batch: FactBatch) -> Recorded:
        if is_away.is_set():
            raise Errored("records are away")
        return await write(batch)

    monkeypatch.setattr(line, "keep", keep)
    standings, held = TemporalStandings(forgetful), Hold(reason="audit", by="ada", since=NOW)
    place = forgetful.get_workflow_handle(ids.standing_id(organization, "web", "staging"))
    if away:
        is_away.set()
    async with workers(forgetful, world, line):
        await standings.change(change(line, "0", hold=held, by="ada", reason="audit"))
        first = (await place.describe()).run_id
        for number in range(1, 15):
            veto = Veto(artifact=f"web-{number}", reason="it leaks", since=NOW)
            await standings.change(change(line, f"{number}", veto=veto))
        before = (await place.describe()).run_id
        is_away.clear()
        await standings.change(change(line, "last", lift_veto="web-1"))
        async with asyncio.timeout(90):
            while (await place.describe()).run_id == first:  # noqa: ASYNC110 - a server
                await asyncio.sleep(0.05)
        remembered = await line.standing()

    assert remembered.hold == held
    assert len(remembered.vetoes) == 13
    assert [one.action for one in line.facts] == ["hold.placed"]
    assert before == first or not away


async def test_a_pin_is_remembered_written_down_and_survives_holds(line: Line) -> None:
    standings = TemporalStandings(line.client)
    pin = Pin(artifact="web-a", reason="audit", by="ada", since=NOW)
    await standings.change(change(line, "1", pin=pin, by="ada", reason="audit"))
    await standings.change(change(line, "2", hold=Hold(reason="rolled back", since=NOW)))
    await standings.change(change(line, "3", lift_hold=True, by="dev", reason="fine"))
    assert (await line.standing()).pin == pin

    await standings.change(change(line, "4", lift_pin=True, by="dev", reason="audited"))

    assert (await line.standing()).pin is None
    assert await written(line, 3) == [
        ("pin.placed", "ada", "audit"),
        ("hold.lifted", "dev", "fine"),
        ("pin.lifted", "dev", "audited"),
    ]


async def test_the_place_is_remembered_while_records_are_away(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    write = line.keep

    async def fails_twice(batch: FactBatch) -> Recorded:
        tries.append(1)
        if len(tries) < 3:
            raise DependencyUnavailable("records are away")
        return await write(batch)

    monkeypatch.setattr(line, "keep", fails_twice)
    standings = TemporalStandings(line.client)
    held = Hold(reason="audit", by="ada", since=NOW)
    await standings.change(change(line, "1", hold=held, by="ada", reason="audit"))

    assert (await line.standing()).hold == held
    assert await written(line, 1) == [("hold.placed", "ada", "audit")]

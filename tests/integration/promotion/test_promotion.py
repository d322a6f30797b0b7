from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.common.kinds import platform
from domain.deliveries import Trigger
from domain.deliveries.rollbacks import RollbackRequest
from domain.phases import Phase
from tests.integration.promotion.lines import Line
from workflows.promotions.standings import TemporalStandings
from workflows.promotions.starting import plan_promotion, start_rollback

pytestmark = pytest.mark.integration
A, B = (f"registry.example.com/web@sha256:{version * 64}" for version in "ab")


async def to_prod(line: Line, artifact: str) -> None:
    """Brings an artifact the whole way: edit, policy, approval."""
    await line.edit("dev", artifactRef=artifact)
    await line.runs("staging", artifact)
    handle = await line.promote("prod")
    await line.approve("prod")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_policy_brings_an_artifact_to_staging_and_people_to_production(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    assert await line.image("staging") == A
    handle = await line.promote("prod")
    assert await line.image("prod") == ""

    asked = await line.approve("prod")
    promotion = await handle.result()

    assert (promotion.artifact, promotion.source) == ("web-a", "staging")
    assert asked["artifact"] == A
    assert promotion.approved_by == ("ada@example.test",)
    await line.runs("prod", "web-a")
    assert await line.image("prod") == A


async def test_who_asks_may_not_approve_and_a_second_person_may(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    asked_for = await line.ask("dev", "prod")
    assert asked_for.status_code == HTTPStatus.ACCEPTED, asked_for.text
    asked = await line.asked("prod")

    own = await line.decide("dev", asked)
    assert own.status_code == HTTPStatus.FORBIDDEN
    assert "asked for it" in own.json()["detail"]
    assert await line.image("prod") == ""

    assert (await line.decide("ada", asked)).json()["outcome"] == "approved"
    await line.runs("prod", "web-a")
    assert await line.image("prod") == A


async def test_who_wrote_what_comes_along_may_not_approve_even_what_others_wrote_last(
    line: Line,
) -> None:
    await to_prod(line, "web-a")
    await line.artifact("c", authors=["ada@example.test"])  # was never promoted by itself
    await line.artifact("d", authors=["dev@example.test"])
    await line.edit("dev", artifactRef="web-d")
    await line.runs("staging", "web-d")
    await line.promote("prod")

    asked = await line.asked("prod")
    answer = await line.decide("ada", asked)

    assert asked["authors"] == ["ada@example.test", "dev@example.test"]
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "wrote commits of it" in answer.json()["detail"]
    assert await line.image("prod") == A


async def test_a_no_with_its_reason_denies_the_promotion(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    handle = await line.promote("prod")
    asked = await line.asked("prod")

    answer = await line.decide("ada", asked, "reject", "not on a Friday")
    assert answer.status_code == HTTPStatus.OK, answer.text
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Denied"
    assert "not on a Friday" in failed.value.cause.message
    assert await line.image("prod") == ""


async def test_a_freeze_keeps_the_promotion_waiting_until_it_is_gone(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    start = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    window = {
        "reason": "nobody is on call",
        "scope": {"environments": ["prod"]},
        "schedule": {"start": start, "duration": "48h"},
    }
    await line.apply("FreezeWindow", "weekend", window)
    handle = await line.promote("prod")
    status = await line.waits_in(handle, "freeze")

    assert status.waiting_for is not None
    assert status.waiting_for.what == "freeze weekend: nobody is on call"
    plan = await plan_promotion(line.temporal, line.request("prod"))
    assert any("freeze weekend" in one for one in plan.waits)
    assert (await line.why("prod"))["freeze weekend"] == "nobody is on call"

    await line.apply("FreezeWindow", "weekend", {**window, "suspended": True})
    await line.approve("prod")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert await line.image("prod") == A


async def test_an_edit_by_hand_gets_nothing_into_a_gated_environment(line: Line) -> None:
    await to_prod(line, "web-a")

    await line.edit("prod", artifactRef="web-b")
    binding = await line.refused("prod", "promotion")

    ready = binding.status.condition("Ready")
    assert ready is not None
    assert "pavane promote web prod" in ready.message
    assert binding.status.artifact_ref == "web-a"
    assert await line.image("prod") == A


async def test_another_configuration_by_hand_is_another_thing(line: Line) -> None:
    await to_prod(line, "web-a")

    await line.edit("prod", artifactRef="web-a", workload={"replicas": 3})
    await line.refused("prod", "configuration")

    handle = await line.promote("prod")
    await line.approve("prod")
    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_new_binding_by_hand_does_not_open_the_way_either(line: Line) -> None:
    await line.edit("prod", artifactRef="web-a")
    await line.refused("prod", "promotion")
    assert await line.image("prod") == ""


async def test_no_promotion_leaves_out_an_environment(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    handle = await line.promote("prod", artifact="web-b")

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Denied"
    assert "staging runs web-a, not web-b" in failed.value.cause.message


async def test_a_plan_tells_what_would_change_and_changes_nothing(line: Line) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")

    plan = await plan_promotion(line.temporal, line.request("prod"))

    assert all(gate.is_open for gate in plan.gates)
    assert plan.approvals[0].startswith("1 person")
    assert "Deployment/web" in {one.name for one in plan.facts.changes}
    assert await line.image("prod") == ""


async def test_a_rollback_brings_the_former_release_back_and_it_stays(line: Line) -> None:
    await to_prod(line, "web-a")
    await to_prod(line, "web-b")
    assert await line.image("prod") == B
    place = (line.name, "web", "prod")
    request = RollbackRequest(
        organization=line.name, component="web", environment="prod", request_id="r",
        trigger=Trigger(actor="ada@example.test"),
    )  # fmt: skip

    done = await (await start_rollback(line.temporal, request)).result()

    assert done.artifact == "web-a"
    assert await line.image("prod") == A
    standing = await TemporalStandings(line.temporal).read(*place)
    assert standing.hold is not None
    assert [one.artifact for one in standing.vetoes] == ["web-b"]
    await line.edit("prod", artifactRef="web-b")
    await line.refused("prod", "veto")
    assert await line.image("prod") == A


async def test_after_a_rollback_version_and_time_are_told_and_a_new_component_inherits_nothing(
    line: Line, http: httpx.AsyncClient
) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("dev", "web-a")
    await line.edit("dev", artifactRef="web-b")
    newer = await line.runs("dev", "web-b")
    request = RollbackRequest(
        organization=line.name, component="web", environment="dev", request_id="r",
        trigger=Trigger(actor="ada@example.test"),
    )  # fmt: skip
    await (await start_rollback(line.temporal, request)).result()

    rolled_back = await line.runs("dev", "web-a")
    path = f"/v1/components/{line.name}/web/status"
    told = (await http.get(path, headers={"Authorization": "Bearer ada"})).json()
    dev = next(one for one in told["environments"] if one["environment"] == "dev")
    assert (newer.status.version, rolled_back.status.version) == ("b" * 12, "a" * 12)
    assert (dev["version"], dev["current"]) == ("a" * 12, False)
    assert dev["since"]

    standings = TemporalStandings(line.temporal)
    assert (await standings.read(line.name, "web", "dev")).hold is not None
    await line.cluster.delete(platform("Component"), "web", line.name)
    async with asyncio.timeout(90):
        while await line.cluster.find(platform("Component"), "web", line.name):  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.1)

    assert (await standings.read(line.name, "web", "dev")).is_empty

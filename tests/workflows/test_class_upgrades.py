from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries import ClassUpgradePlan, ClassUpgradeRequest
from tests.workflows.golden_paths import GoldenWorld, consumer, golden_workers
from workflows.starting import start_class_upgrade

pytestmark = pytest.mark.workflows

DEV = tuple(consumer(name, "dev") for name in ("api", "web"))
PROD = (consumer("web", "prod"),)
NOTHING = ClassUpgradePlan(revision="new")


@pytest.fixture
async def golden(temporal: Client) -> AsyncIterator[GoldenWorld]:
    world = GoldenWorld()
    async with golden_workers(temporal, world):
        yield world


def request(organization: str) -> ClassUpgradeRequest:
    return ClassUpgradeRequest(
        organization=organization, class_kind="ServiceClass", class_name="standard"
    )


def deployed(world: GoldenWorld) -> list[tuple[str, str]]:
    return [
        (asked.consumer.component, asked.consumer.environment)
        for name, asked in world.calls
        if name == "upgrade_binding"
    ]


async def test_a_wave_begins_when_the_one_before_has_ended(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [ClassUpgradePlan(revision="new", waves=(DEV, PROD)), NOTHING]

    done = await (await start_class_upgrade(temporal, request(organization))).result()

    assert sorted(deployed(golden)[:2]) == [("api", "dev"), ("web", "dev")]
    assert deployed(golden)[2:] == [("web", "prod")]
    assert (len(done.upgraded), done.failed, done.revision) == (3, (), "new")


async def test_nothing_is_deployed_when_all_are_current(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [NOTHING.model_copy(update={"held": ("web-dev",)})]

    done = await (await start_class_upgrade(temporal, request(organization))).result()

    assert deployed(golden) == []
    assert done.held == ("web-dev",)


async def test_an_upgrade_stops_when_more_fail_than_may(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [ClassUpgradePlan(revision="new", waves=(DEV, PROD)), NOTHING]
    golden.failing = {"api"}

    with pytest.raises(WorkflowFailureError) as failed:
        await (await start_class_upgrade(temporal, request(organization))).result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert "1 deployments failed and 0 may: api in dev: pods are missing" in str(failed.value.cause)
    (fact,) = golden.calls[-1][1].facts
    assert (fact.action, fact.result) == ("class-upgrade.ended", "failed")
    assert ("web", "prod") not in deployed(golden)


async def test_failures_within_the_budget_are_told_and_do_not_stop_it(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [
        ClassUpgradePlan(revision="new", waves=(DEV, PROD), max_failures=1),
        NOTHING,
    ]
    golden.failing = {"api"}

    done = await (await start_class_upgrade(temporal, request(organization))).result()

    assert [one.component for one in done.failed] == ["api"]
    assert [one.environment for one in done.upgraded] == ["dev", "prod"]


async def test_a_class_that_changes_meanwhile_is_followed(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [
        ClassUpgradePlan(revision="new", waves=(PROD,)),
        ClassUpgradePlan(revision="newer", waves=(PROD,)),
        ClassUpgradePlan(revision="newer"),
    ]

    done = await (await start_class_upgrade(temporal, request(organization))).result()

    asked = [one.revision for name, one in golden.calls if name == "upgrade_binding"]
    assert (asked, done.revision) == (["new", "newer"], "newer")


async def test_two_upgrades_of_a_class_are_one(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [ClassUpgradePlan(revision="new", waves=(PROD,)), NOTHING]
    go_on = asyncio.Event()
    golden.behaviours["upgrade_binding"] = lambda _: go_on.wait()

    first = await start_class_upgrade(temporal, request(organization))
    second = await start_class_upgrade(temporal, request(organization))
    go_on.set()

    assert second.id == first.id
    assert (await first.result()) == (await second.result())
    assert len(deployed(golden)) == 1


async def test_a_cancel_begins_no_further_deployment(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [ClassUpgradePlan(revision="new", waves=(DEV, PROD), max_at_once=1)]
    begun = asyncio.Event()

    async def waits(_: object) -> None:
        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    golden.behaviours["upgrade_binding"] = waits
    handle = await start_class_upgrade(temporal, request(organization))
    await begun.wait()
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert len(deployed(golden)) == 1


async def test_a_cancel_while_it_looks_who_follows_deploys_nothing(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    begun = asyncio.Event()

    async def waits(_: object) -> None:
        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    golden.behaviours["plan_class_upgrade"] = waits
    handle = await start_class_upgrade(temporal, request(organization))
    await begun.wait()
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert deployed(golden) == []


async def test_after_too_many_failures_the_rest_of_a_wave_is_not_begun(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    golden.plans = [ClassUpgradePlan(revision="new", waves=(DEV,), max_at_once=1), NOTHING]
    golden.failing = {"api", "web"}

    with pytest.raises(WorkflowFailureError):
        await (await start_class_upgrade(temporal, request(organization))).result()

    assert len(deployed(golden)) == 1

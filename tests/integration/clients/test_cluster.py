from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clients.kubernetes import Cluster, Kind, SharedWatches, pod_logs
from domain.errors import Conflict, FieldConflict, InvalidRequest, NotFound, StaleRevision

pytestmark = pytest.mark.integration

OURS = "made-by=test"
"""Kubernetes puts a map of its own into each namespace."""
MAPS = Kind("v1", "ConfigMap", "configmaps", namespaced=True)
BUDGETS = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", namespaced=True)


def config(name: str, namespace: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"made-by": "test"}},
        "data": data,
    }


async def test_kinds_come_from_the_server(cluster: Cluster) -> None:
    assert await cluster.kind_of("v1", "ConfigMap") == MAPS
    assert (await cluster.kind_of("v1", "Namespace")).namespaced is False
    with pytest.raises(NotFound):
        await cluster.kind_of("nowhere.example/v1", "Ghost")


async def test_applied_object_is_there_and_applying_it_again_changes_nothing(
    cluster: Cluster, namespace: str
) -> None:
    first = await cluster.apply(config("a", namespace, x="1"))
    again = await cluster.apply(config("a", namespace, x="1"))

    assert (await cluster.get(MAPS, "a", namespace))["data"] == {"x": "1"}
    assert first["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]


async def test_fields_of_another_manager_are_a_conflict_that_names_them(
    cluster: Cluster, namespace: str
) -> None:
    await cluster.apply(config("a", namespace, x="theirs"), manager="somebody")

    with pytest.raises(FieldConflict) as caught:
        await cluster.apply(config("a", namespace, x="ours"))
    assert caught.value.facts == {".data.x": "somebody"}

    forced = await cluster.apply(config("a", namespace, x="ours"), force=True)
    assert forced["data"] == {"x": "ours"}


async def test_field_that_is_no_longer_applied_is_removed(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(config("a", namespace, x="1", y="2"))
    applied = await cluster.apply(config("a", namespace, x="1"))

    assert applied["data"] == {"x": "1"}


async def test_unknown_fields_are_refused(cluster: Cluster, namespace: str) -> None:
    wrong = config("a", namespace) | {"dta": {"x": "1"}}

    with pytest.raises(InvalidRequest, match="dta"):
        await cluster.create(wrong)


async def test_field_of_a_wrong_type_is_the_callers_fault(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.data"):
        await cluster.apply(config("a", namespace) | {"data": ["x"]})


async def test_status_is_written_apart_from_the_spec(cluster: Cluster, namespace: str) -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "a", "namespace": namespace},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "a"}}},
    }
    made = await cluster.apply(budget)
    status = {"disruptionsAllowed": 3, "currentHealthy": 3, "desiredHealthy": 1, "expectedPods": 3}
    written = await cluster.apply_status(made | {"status": status})

    assert written["status"]["disruptionsAllowed"] == 3
    assert written["metadata"]["generation"] == made["metadata"]["generation"]


async def test_status_of_what_does_not_exist_is_not_written(
    cluster: Cluster, namespace: str
) -> None:
    ghost = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "ghost", "namespace": namespace},
        "status": {"disruptionsAllowed": 1},
    }
    with pytest.raises(NotFound):
        await cluster.apply_status(ghost)


async def test_creating_twice_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    await cluster.create(config("a", namespace))

    with pytest.raises(Conflict, match="already exists"):
        await cluster.create(config("a", namespace))


async def test_replacing_an_older_version_is_refused(cluster: Cluster, namespace: str) -> None:
    old = await cluster.create(config("a", namespace))
    await cluster.patch(MAPS, "a", namespace, {"data": {"x": "new"}})

    with pytest.raises(StaleRevision):
        await cluster.replace(old)


async def test_deletion_is_idempotent_and_spares_a_later_object_of_the_name(
    cluster: Cluster, namespace: str
) -> None:
    old = await cluster.create(config("a", namespace))
    uid = old["metadata"]["uid"]

    assert await cluster.delete(MAPS, "a", namespace, uid=uid) is True
    assert await cluster.delete(MAPS, "a", namespace, uid=uid) is False
    await cluster.create(config("a", namespace))
    assert await cluster.delete(MAPS, "a", namespace, uid=uid) is False
    assert await cluster.find(MAPS, "a", namespace) is not None


async def test_long_lists_are_complete(cluster: Cluster, namespace: str) -> None:
    names = [f"m{number:04d}" for number in range(520)]
    limit = asyncio.Semaphore(50)

    async def make(name: str) -> None:
        async with limit:
            await cluster.create(config(name, namespace))

    await asyncio.gather(*map(make, names))
    listing = await cluster.list(MAPS, namespace, OURS)

    assert sorted(item["metadata"]["name"] for item in listing.items) == names
    assert {item["kind"] for item in listing.items} == {"ConfigMap"}


async def test_log_of_a_pod_that_does_not_exist_is_not_found(
    cluster: Cluster, namespace: str
) -> None:
    with pytest.raises(NotFound):
        await anext(pod_logs(cluster, namespace, "ghost", "main"))


async def test_shared_watch_reports_creation_change_and_deletion(
    cluster: Cluster, namespace: str
) -> None:
    watches = SharedWatches(cluster)
    await cluster.create(config("before", namespace))
    async with asyncio.timeout(60), watches.of(MAPS, namespace, OURS).subscribe() as events:
        assert (await anext(events)).object["metadata"]["name"] == "before"
        await cluster.create(config("a", namespace))
        assert (await anext(events)).type == "ADDED"
        await cluster.patch(MAPS, "a", namespace, {"data": {"x": "2"}})
        changed = await anext(events)
        assert (changed.type, changed.object["data"]) == ("MODIFIED", {"x": "2"})
        assert "managedFields" not in changed.object["metadata"]
        await cluster.delete(MAPS, "a", namespace)
        assert (await anext(events)).type == "DELETED"
        assert set(watches.of(MAPS, namespace, OURS).store) == {(namespace, "before")}
    await watches.close()


async def test_burst_reaches_every_subscriber_in_its_final_state(
    cluster: Cluster, namespace: str
) -> None:
    watches = SharedWatches(cluster)
    shared = watches.of(MAPS, namespace, OURS)
    await shared.synced()

    async def last_states() -> dict[str, str]:
        seen: dict[str, str] = {}
        async with shared.subscribe() as events:
            async for event in events:
                seen[event.object["metadata"]["name"]] = event.object["data"]["round"]
                if len(seen) == 20 and set(seen.values()) == {"9"}:
                    return seen
        return seen

    async def change(name: str) -> None:
        for number in range(10):
            await cluster.apply(config(name, namespace, round=str(number)))

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        readers = [group.create_task(last_states()) for _ in range(5)]
        for number in range(20):
            group.create_task(change(f"m{number}"))

    assert all(len(reader.result()) == 20 for reader in readers)
    await watches.close()

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.common.kinds import DEPLOYMENTS, platform
from domain.deliveries import Trigger, TriggerKind
from domain.phases import Phase
from tests.integration.drift.conftest import watching
from tests.integration.drift.places import KINDS, PERSON, Place

pytestmark = [pytest.mark.integration, pytest.mark.sampled]

_SIGNALLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


def replicas(count: int) -> dict[str, Any]:
    return {"spec": {"replicas": count}}


async def test_a_field_of_another_manager_is_reported_and_left_where_policy_says_so(
    place: Place,
) -> None:
    async with watching(place):
        await place.deploy()
        await place.change("Deployment", "web", replicas(5), "autoscaling-script")

        told = await place.drifted(lambda one: one is not None)

    assert told is not None
    assert told.reason == "Drifted"
    assert told.message == ("Deployment/web spec.replicas is 5, wanted 2 (autoscaling-script)")
    live = await place.live("Deployment", "web")
    assert live is not None
    assert live["spec"]["replicas"] == 5
    ready = (await place.bound()).status.condition("Ready")
    assert ready is not None
    assert (ready.is_true, ready.reason) == (True, "Deployed")


async def test_the_report_vanishes_when_the_other_manager_changes_it_back(place: Place) -> None:
    async with watching(place):
        await place.deploy()
        await place.change("Deployment", "web", replicas(5), "script")
        await place.drifted(lambda one: one is not None)
        await place.change("Deployment", "web", replicas(2), "script")

        assert await place.drifted(lambda one: one is None) is None


async def test_a_changed_field_is_put_back_and_the_history_says_why(place: Place) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        await place.cluster.patch(
            DEPLOYMENTS, "web", place.namespace, replicas(0) | {"metadata": {"labels": None}}
        )
        await place.change("Deployment", "web", replicas(7), "kubectl")

        live = await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 2)
        await place.drifted(lambda one: one is None)

    assert live["metadata"]["labels"]["choreo.dev/component"] == "web"
    listing = await place.cluster.list(platform("Deployment"), place.name)
    put_backs = [each["spec"] for each in listing.items if each["spec"].get("action") == "put-back"]
    reasons = {each["trigger"]["reference"] for each in put_backs}
    assert reasons == {"drift of Deployment/web"}


@pytest.mark.parametrize("kind", ["Service", "NetworkPolicy", "Deployment"])
async def test_a_deleted_object_is_put_back(place: Place, kind: str) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        before = await place.live(kind, "web")
        assert before is not None
        await place.cluster.delete(KINDS[kind], "web", place.namespace)

        after = await place.until(
            kind, "web", lambda obj: bool(obj["metadata"]["uid"] != before["metadata"]["uid"])
        )
        await place.drifted(lambda one: one is None)

    assert after["spec"].keys() == before["spec"].keys()


async def test_of_two_workers_one_asks_for_a_look(place: Place) -> None:
    async with watching(place), watching(place):
        await place.deploy()
        await place.change("Deployment", "web", replicas(5), "kubectl")
        await place.drifted(lambda one: one is not None)
        handle = place.temporal.get_workflow_handle(f"drift/{place.name}/web/dev")
        await handle.result()

        history = await handle.fetch_history()

    signals = [one for one in history.events if one.event_type == _SIGNALLED]
    assert len(signals) == 1


async def test_what_components_share_is_put_back(place: Place) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        await place.cluster.delete(KINDS["NetworkPolicy"], "pavane-default-deny", place.namespace)

        await place.until("NetworkPolicy", "pavane-default-deny", lambda _: True)


async def test_what_happened_while_no_worker_watched_is_found_at_its_start(place: Place) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
    await place.cluster.delete(KINDS["NetworkPolicy"], "web", place.namespace)
    await place.change("Deployment", "web", replicas(9), "kubectl")

    async with watching(place):
        await place.until("NetworkPolicy", "web", lambda _: True)
        await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 2)


async def test_who_insists_is_named_and_the_field_is_left_to_a_person(place: Place) -> None:
    await place.policy(drift="Restore", maxPutBacksPerHour=1)
    async with watching(place):
        await place.deploy()
        await place.change("Deployment", "web", replicas(7), "gitops-robot")
        await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 2)
        await place.drifted(lambda one: one is None)
        await place.change("Deployment", "web", replicas(8), "gitops-robot")

        told = await place.drifted(lambda one: one is not None and one.reason == "DriftContested")
        live = await place.live("Deployment", "web")
        with pytest.raises(WorkflowFailureError):
            await place.deploy(trigger=PERSON)
        taken = await place.deploy(trigger=PERSON, force_conflicts=True)
        await place.drifted(lambda one: one is None)

    assert told is not None
    assert "gitops-robot changed Deployment/web spec.replicas again" in told.message
    assert "pavane deploy web -e dev --force" in told.message
    assert live is not None
    assert live["spec"]["replicas"] == 8
    assert taken.phase is Phase.SUCCEEDED
    ended = await place.live("Deployment", "web")
    assert ended is not None
    assert ended["spec"]["replicas"] == 2


async def test_a_deployment_stops_at_fields_of_others_unless_the_environment_forces(
    place: Place,
) -> None:
    await place.deploy()
    await place.change("Deployment", "web", replicas(6), "kubectl")
    await place.binding("web", workload={"replicas": 4})

    with pytest.raises(WorkflowFailureError) as failed:
        await place.deploy()
    left = await place.live("Deployment", "web")
    await place.policy(conflicts="Force")
    await place.change("Deployment", "web", replicas(6), "kubectl")
    done = await place.deploy()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "FieldConflict"
    assert left is not None
    assert left["spec"]["replicas"] == 6
    assert done.phase is Phase.SUCCEEDED
    live = await place.live("Deployment", "web")
    assert live is not None
    assert live["spec"]["replicas"] == 4


async def test_deployments_of_pavane_itself_are_never_looked_at(place: Place) -> None:
    async with watching(place):
        await place.deploy()
        await place.binding("web", workload={"replicas": 3})
        await place.deploy()
        await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 3)

        assert not await place.looked_at()


async def test_what_the_server_writes_in_other_words_is_no_drift(place: Place) -> None:
    """The class asks for 1000m and for a false the server drops; both are marked by a neighbour."""
    async with watching(place):
        await place.deploy()
        annotated = {"metadata": {"annotations": {"team": "x"}}}
        await place.change("Deployment", "web", annotated, "neighbour")
        handle = place.temporal.get_workflow_handle(f"drift/{place.name}/web/dev")
        while not await place.looked_at():
            pass
        report = await handle.result()

    assert report["drifted"] == []
    assert (await place.bound()).status.condition("Drifted") is None


async def test_a_removed_false_is_drift_where_the_default_is_true(place: Place) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        account = await place.live("ServiceAccount", "web")
        assert account is not None
        del account["automountServiceAccountToken"]
        await place.cluster.replace(account, manager="kubectl-replace")

        await place.until(
            "ServiceAccount",
            "web",
            lambda obj: obj.get("automountServiceAccountToken") is False,
        )


async def test_fields_that_others_add_stay_when_others_are_put_back(place: Place) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        labels = {"metadata": {"labels": {"team": "x"}}}
        await place.change("Deployment", "web", labels, "neighbour")
        await place.change("Deployment", "web", replicas(6), "kubectl")

        live = await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 2)

    assert live["metadata"]["labels"]["team"] == "x"


async def test_a_binding_that_waits_for_its_own_deployment_is_not_judged_by_a_put_back(
    place: Place,
) -> None:
    await place.policy(drift="Restore")
    async with watching(place):
        await place.deploy()
        await place.binding("web", workload={"replicas": 4})
        await place.change("Deployment", "web", replicas(6), "kubectl")

        await place.until("Deployment", "web", lambda obj: obj["spec"]["replicas"] == 2)

    bound = await place.bound()
    assert bound.status.observed_generation < bound.metadata.generation
    done = await place.deploy(trigger=Trigger(kind=TriggerKind.RESOURCE))
    assert done.phase is Phase.SUCCEEDED
    live = await place.live("Deployment", "web")
    assert live is not None
    assert live["spec"]["replicas"] == 4

from __future__ import annotations

from typing import Any

import pytest

from domain.deliveries.trees import ComponentTree, NodeHealth
from domain.policies.trees import MOST_NODES, Seen, grown
from tests.unit.policies.live import NOW, deployment, pod, replica_set, waiting

PLACE = ComponentTree(
    organization="acme", component="web", environment="development", release="web-1"
)
SERVICE: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
}


def seen(live: dict[str, Any], *pods: dict[str, Any], sets: tuple[str, ...] = ("2",)) -> Seen:
    made = [replica_set(one) for one in sets]
    for one in made:
        one["spec"] = {"replicas": 2}
        one["status"] |= {"replicas": 2, "readyReplicas": 2}
    objects = {"Deployment/web": live, "Service/web": SERVICE}
    return Seen(objects=objects, replica_sets=made, pods=pods)


def tree(told: Seen) -> ComponentTree:
    return grown(PLACE, (SERVICE, DEPLOYMENT), told, (), NOW)[0]


def test_pods_hang_below_their_replica_set_and_that_below_its_deployment() -> None:
    grew = tree(seen(deployment(), pod("web-2-a", ready=True), pod("web-2-b", ready=True)))

    assert [(one.id, one.parent) for one in grew.nodes] == [
        ("Service/web", ""),
        ("Deployment/web", ""),
        ("ReplicaSet/web-2", "Deployment/web"),
        ("Pod/web-2-a", "ReplicaSet/web-2"),
        ("Pod/web-2-b", "ReplicaSet/web-2"),
    ]
    assert {one.health for one in grew.nodes} == {NodeHealth.HEALTHY} == {grew.health}


def test_an_object_that_somebody_deleted_is_missing_and_makes_the_component_so() -> None:
    told = seen(deployment(), pod(ready=True))

    grew = tree(Seen(objects={"Deployment/web": told.objects["Deployment/web"]}))

    assert (grew.health, grew.reason) == (NodeHealth.MISSING, "Missing")
    assert grew.message == "Service web is not on the plane"


def test_a_pod_tells_why_it_does_not_start_and_so_does_what_owns_it() -> None:
    broken = pod(state=waiting("CrashLoopBackOff"), restarts=4)

    grew = tree(seen(deployment(available=1), broken))

    nodes = {one.id: one for one in grew.nodes}
    assert (grew.health, grew.reason) == (NodeHealth.DEGRADED, "CrashLoopBackOff")
    assert nodes["Pod/web-2-a"].reason == nodes["Deployment/web"].reason == "CrashLoopBackOff"
    assert nodes["Service/web"].health is NodeHealth.HEALTHY


def test_pods_of_the_release_before_are_shown_until_they_are_gone() -> None:
    old = pod("web-1-a", revision="1", ready=True)

    grew = tree(seen(deployment(replicas=3), pod(ready=True), old, sets=("1", "2")))

    nodes = {one.id: one for one in grew.nodes}
    assert nodes["Pod/web-1-a"].parent == "ReplicaSet/web-1"
    assert "of a release before" in nodes["ReplicaSet/web-1"].message


def test_equal_trees_have_equal_hashes_and_a_pod_that_turns_unready_changes_it() -> None:
    well, same = (tree(seen(deployment(), pod(ready=True))) for _ in range(2))
    unwell = tree(seen(deployment(), pod(ready=False)))

    assert well.hash == same.hash != unwell.hash


def test_of_too_many_objects_those_that_are_well_are_left_out() -> None:
    pods = [pod(f"web-2-{number:03}", ready=True) for number in range(MOST_NODES + 50)]
    pods.append(pod("web-2-zzz", state=waiting("CrashLoopBackOff"), restarts=4))

    grew = tree(seen(deployment(available=1), *pods))

    assert len(grew.nodes) == MOST_NODES
    assert grew.left_out == len(pods) + 3 - MOST_NODES
    assert grew.nodes[-1].reason == "CrashLoopBackOff"


def test_the_last_runs_of_a_timetable_are_shown_with_how_they_ended() -> None:
    cron_job = {"metadata": {"name": "report", "uid": "timetable"}, "spec": {"schedule": "@daily"}}
    jobs = [
        {
            "metadata": {
                "name": f"report-{number}",
                "uid": f"run-{number}",
                "creationTimestamp": f"2026-03-01T0{number}:00:00Z",
                "ownerReferences": [{"controller": True, "uid": "timetable"}],
            },
            "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "Late"}]},
        }
        for number in range(5)
    ]
    wanted = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "report"}}

    grew, _ = grown(PLACE, [wanted], Seen({"CronJob/report": cron_job}, jobs=jobs), (), NOW)

    assert [one.name for one in grew.nodes] == ["report", "report-4", "report-3", "report-2"]
    assert grew.health is NodeHealth.HEALTHY
    assert grew.nodes[1].health is NodeHealth.DEGRADED
    assert grew.nodes[0].details == {"schedule": "@daily"}
    assert grew.nodes[1].details == {"state": "Failed", "started": "2026-03-01T04:00:00Z"}


def alone(live: dict[str, Any], *pods: dict[str, Any]) -> ComponentTree:
    """The tree of a release of one object."""
    wanted = {name: live[name] for name in ("apiVersion", "kind", "metadata")}
    told = Seen({f"{live['kind']}/{live['metadata']['name']}": live}, pods=pods)
    return grown(PLACE, [wanted], told, (), NOW)[0]


def scaler(**active: str) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"minReplicas": 2, "maxReplicas": 6},
        "status": {
            "desiredReplicas": 3,
            "conditions": [{"type": "ScalingActive", **active}] if active else [],
        },
    }


@pytest.mark.parametrize(
    ("active", "health", "message"),
    [
        ({"status": "True"}, NodeHealth.HEALTHY, "3 replicas wanted, of 2 to 6"),
        (
            {"status": "False", "reason": "ScalingDisabled"},
            NodeHealth.HEALTHY,
            "3 replicas wanted, of 2 to 6",
        ),
        (
            {"status": "False", "reason": "FailedGetMetric", "message": "no metrics"},
            NodeHealth.PROGRESSING,
            "cannot scale: no metrics",
        ),
        ({"status": "False"}, NodeHealth.PROGRESSING, "cannot scale"),
    ],
)
def test_an_autoscaler_that_cannot_measure_is_not_healthy(
    active: dict[str, str], health: NodeHealth, message: str
) -> None:
    [node] = alone(scaler(**active)).nodes

    assert (node.health, node.message) == (health, message)


def test_a_job_shows_its_pods_with_how_they_ended() -> None:
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "import", "uid": "run"},
        "spec": {},
        "status": {"active": 1},
    }
    owner = [{"controller": True, "uid": "run"}]
    states: dict[str, dict[str, Any]] = {
        "a": {"phase": "Succeeded"},
        "b": {"phase": "Failed", "reason": "Evicted", "message": "no disk is left"},
        "c": {
            "phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}],
        },
        "d": {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]},
        "e": {"phase": "Pending"},
    }
    pods = [
        {"metadata": {"name": name, "ownerReferences": owner}, "spec": {}, "status": status}
        for name, status in states.items()
    ]
    pods.append(
        {
            "metadata": {"name": "f", "ownerReferences": owner, "deletionTimestamp": "now"},
            "status": {"phase": "Running"},
        }
    )

    grew = alone(job, *pods)

    assert [(one.name, one.health.value, one.reason) for one in grew.nodes[1:]] == [
        ("a", "Healthy", "Completed"),
        ("b", "Degraded", "Evicted"),
        ("c", "Progressing", "ContainerCreating"),
        ("d", "Progressing", "NotReady"),
        ("e", "Progressing", "Pending"),
        ("f", "Progressing", "Terminating"),
    ]


def test_a_replica_set_that_may_make_no_pods_says_so_and_one_that_lacks_some_goes_on() -> None:
    told = seen(deployment(), pod(ready=True))
    newest: dict[str, Any] = dict(told.replica_sets[0])
    told = Seen(told.objects, replica_sets=[newest], pods=told.pods)
    newest["status"] |= {"readyReplicas": 1}
    lacking = {one.id: one for one in tree(told).nodes}["ReplicaSet/web-2"]
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    newest["status"] |= {"conditions": [{**refused, "message": "exceeded quota"}]}
    failing = {one.id: one for one in tree(told).nodes}["ReplicaSet/web-2"]

    assert (lacking.health, lacking.message) == (NodeHealth.PROGRESSING, "1 of 2 pods are ready")
    assert (failing.health, failing.reason) == (NodeHealth.DEGRADED, "FailedCreate")
    assert failing.message == "exceeded quota"


def test_where_nothing_is_deployed_the_tree_says_so() -> None:
    grew, again = grown(PLACE, (), Seen({}), (), NOW)

    assert (grew.health, grew.reason, again) == (NodeHealth.HEALTHY, "NothingToRun", None)

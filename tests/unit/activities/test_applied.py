from __future__ import annotations

from typing import Any, cast

import pytest

from activities.common.kinds import DEPLOYMENTS
from activities.planes.applied import AppliedObjects
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches

pytestmark = pytest.mark.unit


def an_object(kind: str = "Service", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "acme-shop-dev"},
        "spec": spec,
    }


class Plane:
    """Gives each applied object the next version; shows to the watch what a test says."""

    def __init__(self) -> None:
        self.version = 0
        self.applies: list[dict[str, Any]] = []
        self.reads = 0
        self.store: dict[tuple[str, str], dict[str, Any]] = {}

    async def apply(self, obj: dict[str, Any], *, force: bool) -> dict[str, Any]:
        assert not force
        self.version += 1
        self.applies.append(obj)
        meta = obj["metadata"] | {"resourceVersion": str(self.version), "managedFields": []}
        return obj | {"metadata": meta}

    async def get(self, _kind: object, name: str, namespace: str) -> dict[str, Any]:
        self.reads += 1
        return {"metadata": {"name": name, "namespace": namespace, "resourceVersion": "read"}}

    def of(self, _kind: object, *, labels: str) -> Plane:
        assert labels == "app.kubernetes.io/managed-by=pavane"
        return self

    async def synced(self) -> None:
        return None

    def shows(self, version: int) -> None:
        meta = {"name": "web", "namespace": "acme-shop-dev", "resourceVersion": str(version)}
        self.store["acme-shop-dev", "web"] = {"metadata": meta}


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def applied(plane: Plane) -> AppliedObjects:
    return AppliedObjects(cast("Cluster", plane), cast("SharedWatches", plane))


async def test_an_object_nobody_changed_is_not_applied_again(
    plane: Plane, applied: AppliedObjects
) -> None:
    await applied.apply(an_object(port=80), force=False)
    plane.shows(version=1)
    await applied.apply(an_object(port=80), force=False)

    assert len(plane.applies) == 1


async def test_an_object_somebody_changed_is_applied_again(
    plane: Plane, applied: AppliedObjects
) -> None:
    await applied.apply(an_object(port=80), force=False)
    plane.shows(version=7)
    await applied.apply(an_object(port=80), force=False)

    assert len(plane.applies) == 2


async def test_an_object_the_watch_does_not_show_is_applied_again(
    plane: Plane, applied: AppliedObjects
) -> None:
    await applied.apply(an_object(port=80), force=False)
    await applied.apply(an_object(port=80), force=False)

    assert len(plane.applies) == 2


async def test_other_content_is_applied(plane: Plane, applied: AppliedObjects) -> None:
    await applied.apply(an_object(port=80), force=False)
    plane.shows(version=1)
    await applied.apply(an_object(port=81), force=False)

    assert [one["spec"] for one in plane.applies] == [{"port": 80}, {"port": 81}]


async def test_a_deployment_is_always_applied(plane: Plane, applied: AppliedObjects) -> None:
    await applied.apply(an_object("Deployment"), force=False)
    plane.shows(version=1)
    await applied.apply(an_object("Deployment"), force=False)

    assert len(plane.applies) == 2


async def test_the_answer_of_an_apply_saves_one_reading(
    plane: Plane, applied: AppliedObjects
) -> None:
    wanted = an_object("Deployment", replicas=1)
    await applied.apply(wanted, force=False)

    assert (await applied.live(wanted, DEPLOYMENTS))["metadata"]["resourceVersion"] == "1"
    assert (await applied.live(wanted, DEPLOYMENTS))["metadata"]["resourceVersion"] == "read"
    assert plane.reads == 1


async def test_the_answer_of_an_apply_of_other_content_is_not_given(
    plane: Plane, applied: AppliedObjects
) -> None:
    await applied.apply(an_object("Deployment", replicas=1), force=False)
    live = await applied.live(an_object("Deployment", replicas=2), DEPLOYMENTS)

    assert live["metadata"]["resourceVersion"] == "read"
    assert plane.reads == 1

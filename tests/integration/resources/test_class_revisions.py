"""Which revisions of a class are forgotten, on a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.classes import upgrades
from activities.classes.upgrades import ClassActivities
from activities.common.reading import listed
from activities.common.statuses import now
from clients.kubernetes import Cluster
from clients.records import SqlRecords
from domain.deliveries import ClassUpgradeRequest, Deployment, DeployRequest
from domain.policies.class_revisions import KEPT_REVISIONS
from domain.resources import ClassRevision

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


class NoQueues:
    """Nobody is deployed here."""

    async def ask(self, request: DeployRequest) -> None:
        raise AssertionError(request)

    async def is_busy(self, organization: str, component: str, environment: str) -> bool:
        raise AssertionError(component)

    async def idle(self, organization: str, component: str, environment: str) -> None:
        raise AssertionError(component)

    async def outcome(self, request: DeployRequest) -> Deployment | None:
        raise AssertionError(request)


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path}/records.db")
    await records.migrate()
    yield records
    await records.close()


async def test_old_revisions_go_and_those_that_are_held_or_new_or_of_others_stay(
    cluster: Cluster, organization: str, history: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def declare(kind: str, name: str, spec: dict[str, Any]) -> None:
        await cluster.create(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": organization},
                "spec": spec,
            }
        )

    await declare("ServiceClass", "standard", {})
    # Age is told in whole seconds; of those that are equally old the names decide.
    for index in range(KEPT_REVISIONS + 3):
        of = {"classKind": "ServiceClass", "className": "standard"}
        await declare("ClassRevision", f"standard-{index:02}", of)
    await declare("ClassRevision", "another", {"classKind": "ServiceClass", "className": "other"})
    held = {"componentRef": "web", "environmentRef": "dev", "classRevisionRef": "standard-01"}
    await declare("ServiceBinding", "web-dev", held)
    classes = ClassActivities(cluster, NoQueues(), history)
    request = ClassUpgradeRequest(
        organization=organization, class_kind="ServiceClass", class_name="standard"
    )

    async def revisions() -> set[str]:
        return {one.name for one in await listed(cluster, ClassRevision, organization)}

    every = await revisions()
    await ActivityEnvironment().run(classes.plan_class_upgrade, request)
    assert await revisions() == every

    monkeypatch.setattr(upgrades, "now", lambda: now() + timedelta(days=31))
    await ActivityEnvironment().run(classes.plan_class_upgrade, request)

    assert every - await revisions() == {"standard-00", "standard-02"}

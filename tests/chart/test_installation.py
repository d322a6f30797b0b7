"""The chart installed, upgraded, rolled back and removed, with a delivery under way each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chart.installing import NAMESPACE, Installation, installation
from tests.compose import standins
from tests.compose.composed import eventually
from tests.compose.engine import engine
from tests.compose.test_compose import declared

pytestmark = [pytest.mark.chart, pytest.mark.timeout(2400)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    with engine() as docker:
        standins.base(docker, standins.PYTHON)
        with installation(docker) as made:
            made.install()
            yield made


def order(installed: Installation, mark: str) -> None:
    image = installed.prebuilt()
    installed.pavane("apply", "-f", str(declared(installed.folder, image, mark)))
    installed.pavane("deploy", "web", "-e", "development", "-a", "web-1", "--no-wait")


def runs(installed: Installation, mark: str) -> bool:
    found: dict[str, Any] = json.loads(
        installed.kubectl(
            *("get", "deployment", "web", "--namespace=acme-shop-development", "--output=json")
        )
    )
    (container,) = found["spec"]["template"]["spec"]["containers"]
    status = found["status"]
    return {"name": "MARK", "value": mark} in container["env"] and status.get(
        "updatedReplicas"
    ) == status.get("readyReplicas") == 2


def delivered(installed: Installation, mark: str) -> bool:
    history = json.loads(installed.pavane("history", "web", "-o", "json"))
    return bool(history) and history[0]["phase"] == "Succeeded" and runs(installed, mark)


def test_deliveries_go_on_through_upgrade_and_rollback_and_outlive_the_removal(
    installed: Installation,
) -> None:
    assert "Phase:          Succeeded" in installed.test()
    installed.pavane("apply", "-f", str(ROOT / "examples/platform"))

    order(installed, "upgraded")
    installed.upgrade("settings.log.level=debug")
    eventually(lambda: delivered(installed, "upgraded"), "the delivery ends after the upgrade")
    order(installed, "rolled-back")
    installed.roll_back(1)
    eventually(lambda: delivered(installed, "rolled-back"), "the delivery ends after the rollback")

    installed.pavane("audit", "verify")
    installed.encrypt()
    assert "Phase:          Succeeded" in installed.test()
    installed.uninstall()
    ours = "--selector=app.kubernetes.io/name=pavane"
    for kind in ("deployments", "jobs", "configmaps", "serviceaccounts", "services"):
        assert installed.objects(kind, f"--namespace={NAMESPACE}", ours) == []
    for kind in ("clusterroles", "clusterrolebindings"):
        assert installed.objects(kind, ours) == []
    assert runs(installed, "rolled-back")
    assert installed.objects("components", "--namespace=acme")

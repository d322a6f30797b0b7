from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.releases import records as release_records
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from domain.deliveries import Bundle, DeployRecord, DeployRequest, PreparedRelease
from domain.errors import NotFound
from domain.phases import Phase

pytestmark = pytest.mark.unit

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
BINDING = {
    "apiVersion": "choreo.dev/v1alpha1",
    "kind": "ServiceBinding",
    "metadata": {"name": "web-dev", "namespace": "acme", "uid": "u1", "generation": 3},
    "spec": {"environmentRef": "dev", "componentRef": "web"},
}


class ControlPlane:
    """Remembers what is written, in order."""

    def __init__(self, *, missing: str = "") -> None:
        self.missing = missing
        self.calls: list[tuple[str, str]] = []
        self.statuses: dict[str, Any] = {}

    async def find(self, kind: Kind, _name: str, _namespace: str) -> dict[str, Any]:
        self.calls.append(("find", kind.kind))
        return BINDING

    async def apply_status(self, obj: dict[str, Any], *, manager: str) -> None:
        assert manager == "pavane-procedures"
        if obj["kind"] == self.missing:
            raise NotFound(f"{obj['kind']} is gone")
        self.calls.append(("status", obj["kind"]))
        self.statuses[obj["kind"]] = obj["status"]

    async def patch(self, kind: Kind, name: str, *_more: object) -> None:
        self.calls.append((f"patch {name}", kind.kind))

    async def list(self, kind: Kind, *_more: object) -> Any:
        self.calls.append(("list", kind.kind))

        class Listing:
            items: tuple[dict[str, Any], ...] = ()

        return Listing()


def a_record(previous: str = "", phase: Phase = Phase.SUCCEEDED) -> DeployRecord:
    request = DeployRequest(
        organization="acme", component="web", environment="dev", request_id="r1", binding="web-dev"
    )
    release = PreparedRelease(
        organization="acme",
        project="shop",
        component="web",
        environment="dev",
        binding="web-dev",
        generation=3,
        deployment="web-dev-3",
        task_queue="plane.local",
        bundle=Bundle(release="web-new"),
        previous=Bundle(release=previous),
    )
    return DeployRecord(
        request=request,
        release=release,
        phase=phase,
        workflow_id="deploy/acme/web/dev",
        run_id="run",
        started=AT,
        finished=AT + timedelta(seconds=9),
    )


async def end(plane: ControlPlane, record: DeployRecord) -> None:
    async def history() -> None:
        plane.calls.append(("append", "history"))

    await release_records.end(cast("Cluster", plane), record, AT, history())


async def test_the_binding_is_told_last_so_that_who_waits_for_it_finds_the_rest() -> None:
    plane = ControlPlane()
    await end(plane, a_record())

    first = {("append", "history"), ("status", "Deployment"), ("status", "Release")}
    assert set(plane.calls[:3]) == first
    assert plane.calls[3:] == [("find", "ServiceBinding"), ("status", "ServiceBinding")]


async def test_the_first_release_has_none_to_retire_or_to_forget() -> None:
    plane = ControlPlane()
    await end(plane, a_record())
    assert not [call for call in plane.calls if call[0].startswith(("list", "patch"))]

    later = ControlPlane()
    await end(later, a_record(previous="web-old"))
    assert ("patch web-old", "Release") in later.calls
    assert {("list", "Release"), ("list", "Deployment")} <= set(later.calls)


async def test_the_record_of_a_deployment_is_the_same_when_it_is_written_again() -> None:
    first, second = ControlPlane(), ControlPlane()
    await end(first, a_record())
    await end(second, a_record())

    status = first.statuses["Deployment"]
    assert status == second.statuses["Deployment"]
    assert (status["started"], status["finished"]) == (
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:14Z",
    )
    assert status["operation"] == {"workflowId": "deploy/acme/web/dev", "runId": "run"}


async def test_a_deleted_record_does_not_keep_the_binding_from_being_told() -> None:
    plane = ControlPlane(missing="Deployment")
    await end(plane, a_record())

    assert plane.calls[-1] == ("status", "ServiceBinding")


async def test_after_a_failure_no_release_is_called_healthy() -> None:
    plane = ControlPlane()
    await end(plane, a_record(previous="web-old", phase=Phase.FAILED))

    assert ("status", "Release") not in plane.calls
    assert plane.statuses["Deployment"]["phase"] == "Failed"

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.classes.revisions import ClassRevisions
from domain.policies.class_revisions import KEPT_REVISIONS, unused_revisions
from domain.resources import ClassRevision
from domain.resources.binding import ServiceBinding
from domain.resources.classes import ServiceClass
from tests.unit.rendering.samples import resource

pytestmark = pytest.mark.unit
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FAST = resource(ServiceClass, "fast", {})


def revision(number: int, *, days: int = 100, of: str = "fast") -> ClassRevision:
    made = NOW - timedelta(days=days, minutes=-number)
    metadata = {"name": f"{of}-{number:02}", "namespace": "acme", "creationTimestamp": made}
    spec = {"classKind": "ServiceClass", "className": of}
    return ClassRevision.model_validate({"metadata": metadata, "spec": spec})


def bound(**status: str) -> ServiceBinding:
    spec = {"componentRef": "web", "environmentRef": "dev", "serviceClassRef": "fast"}
    held = status.pop("held", "")
    metadata = {"name": "web-dev", "namespace": "acme"}
    given: dict[str, Any] = {"metadata": metadata, "spec": spec | {"classRevisionRef": held}}
    return ServiceBinding.model_validate(given | {"status": status})


OLD = [revision(number) for number in range(KEPT_REVISIONS + 4)]


def names(*bindings: ServiceBinding, revisions: list[ClassRevision] | None = None) -> list[str]:
    return [each.name for each in unused_revisions(FAST, revisions or OLD, bindings, NOW)]


def test_only_the_oldest_that_nobody_runs_with_or_is_held_at_are_forgotten() -> None:
    assert names() == ["fast-00", "fast-01", "fast-02", "fast-03"]
    assert names(bound(classRevisionRef="fast-01"), bound(held="fast-03")) == [
        "fast-00",
        "fast-02",
    ]


def test_what_is_young_present_or_of_another_class_stays() -> None:
    present = revision(0).model_copy(
        update={"metadata": revision(0).metadata.model_copy(update={"name": FAST.revision})}
    )
    young = [revision(number, days=1) for number in range(KEPT_REVISIONS + 4)]
    others = [revision(number, of="slow") for number in range(KEPT_REVISIONS + 4)]

    assert names(revisions=young) == []
    assert names(revisions=others) == []
    assert names(revisions=[present, *OLD[1:]]) == ["fast-01", "fast-02", "fast-03"]


class Cluster:
    """Takes what is created."""

    def __init__(self) -> None:
        self.created: list[str] = []

    async def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        self.created.append(obj["metadata"]["name"])
        return obj


async def test_a_class_that_becomes_again_what_it_was_is_written_down_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster()
    revisions = ClassRevisions(cluster)  # type: ignore[arg-type] # what it needs of a cluster
    await revisions.given(FAST, bound())
    await revisions.given(FAST, bound())
    assert cluster.created == [FAST.revision]

    monkeypatch.setattr("activities.classes.revisions._TRUSTED_SECONDS", 0.0)
    await revisions.given(FAST, bound())
    assert cluster.created == [FAST.revision, FAST.revision]

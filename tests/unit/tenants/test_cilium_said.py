"""A policy of the whole cluster counts when Cilium has said so, and its refusal is told."""

from __future__ import annotations

from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.tenants.probing import valid
from clients.kubernetes.cluster import Cluster
from domain.errors import InvalidRequest
from domain.rendering.tenants.baseline import organization_denials

pytestmark = pytest.mark.unit


class Saying:
    """A cluster in which Cilium says one thing after another about a policy."""

    def __init__(self, *said: str) -> None:
        self.said = list(said)

    async def get(self, _kind: Any, name: str) -> dict[str, Any]:
        status = self.said.pop(0)
        conditions = [{"type": "Valid", "status": status, "message": "no such label"}]
        return {"metadata": {"name": name}, "status": {"conditions": conditions if status else []}}


async def looked(cluster: Saying) -> None:
    objects = [{"kind": "Namespace", "metadata": {"name": "acme"}}, organization_denials("acme")]
    await ActivityEnvironment().run(valid, cast("Cluster", cluster), objects)


async def test_it_is_read_until_cilium_has_said_something() -> None:
    cluster = Saying("", "", "True")
    await looked(cluster)
    assert cluster.said == []


async def test_a_refusal_is_told_by_its_name_and_reason() -> None:
    with pytest.raises(InvalidRequest, match="pavane-acme: no such label"):
        await looked(Saying("", "False"))


async def test_nothing_is_asked_where_the_plane_has_no_such_policy() -> None:
    cluster = Saying()
    await ActivityEnvironment().run(valid, cast("Cluster", cluster), [])

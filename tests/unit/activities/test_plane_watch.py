from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.planes.checks import PlaneCheckActivities
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.planes import FoundCapabilities, PlaneWatch
from domain.errors import DependencyUnavailable, PlatformError

pytestmark = pytest.mark.unit


class _GoneBeforeItBegan:
    """Shared watches whose connection breaks before anything was listed."""

    def of(self, _kind: Any) -> _GoneBeforeItBegan:
        return self

    async def synced(self) -> None:
        await asyncio.Event().wait()

    async def broken(self) -> PlatformError:
        return DependencyUnavailable("no answer from the API server")


async def test_a_plane_that_goes_before_it_is_watched_is_told_at_once() -> None:
    checks = PlaneCheckActivities(
        cast("Cluster", None), cast("SharedWatches", _GoneBeforeItBegan())
    )
    watch = PlaneWatch(organization="acme", plane="west", found=FoundCapabilities())

    with pytest.raises(DependencyUnavailable, match="no answer"):
        await ActivityEnvironment().run(checks.watch_plane, watch)

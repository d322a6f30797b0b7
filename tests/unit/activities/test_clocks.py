from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.common.clocks import Clock

pytestmark = pytest.mark.unit
LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)


async def test_time_of_an_activity_goes_on_from_when_temporal_handed_it_out() -> None:
    @activity.defn
    async def looks() -> tuple[datetime, datetime]:
        clock = Clock()
        return clock.now(), clock.now()

    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, started_time=LONG_AGO)

    first, second = await environment.run(looks)

    assert LONG_AGO <= first <= second < LONG_AGO + timedelta(hours=1)

"""A SecretRotation with times has a schedule, and only then."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.service import RPCError

from domain import ids
from domain.resources import parse_as
from domain.resources.rotation import SecretRotation
from workflows.secrets.timetable import keep_timetable

pytestmark = pytest.mark.workflows


def rotation(name: str, **spec: object) -> SecretRotation:
    content = {
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {"engine": "KV", "vaultPath": "shop/all/x", **spec},
    }
    return parse_as(SecretRotation, content)


async def test_a_timetable_follows_its_resource_and_goes_with_its_times(temporal: Client) -> None:
    name = f"r-{uuid4().hex[:8]}"
    handle = temporal.get_schedule_handle(ids.rotation_id("acme", name))

    weekly = rotation(name, cron="0 3 * * 0", timeZone="Asia/Tokyo")
    assert await keep_timetable(temporal, weekly)
    made = (await handle.describe()).schedule
    # What is so already is not written: Temporal would leave out times that it is to make up for.
    assert not await keep_timetable(temporal, weekly)
    assert (await handle.describe()).info.last_updated_at is None
    assert await keep_timetable(temporal, rotation(name, cron="0 4 * * *", suspended=True))
    changed = (await handle.describe()).schedule
    assert await keep_timetable(temporal, rotation(name))
    with pytest.raises(RPCError):
        await handle.describe()

    assert (made.spec.time_zone_name, made.state.paused) == ("Asia/Tokyo", False)
    assert made.spec.jitter is not None
    # What was missed for a week is made up for, once, as no two run at once.
    assert made.policy.catchup_window == timedelta(days=35)
    assert made.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert changed.state.paused
    assert changed.spec.calendars[0].hour[0].start == 4
    assert not await keep_timetable(temporal, rotation(name))

"""Credentials are turned over while somebody logs in with them all the time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from clients.vault import SecretStore
from tests.integration.secrets.shop import (
    CANARY,
    PATH,
    ROLES,
    STEPS,
    Database,
    Fault,
    SessionOf,
    Shop,
    in_step,
    nothing_leaked,
    serving,
    until,
)

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
_DISTURBED = [
    (engine, step, after)
    for engine in ("database", "pulls", "secret_ids", "values")
    for step in STEPS
    # A step that has not begun does nothing, whichever engine it is of.
    for after in ((True, False) if engine == "database" else (True,))
]


@pytest.mark.parametrize(("shop", "step", "after"), _DISTURBED, indirect=["shop"])
async def test_a_secret_is_turned_over_without_a_failed_login_whatever_step_dies(
    own_temporal: Client, shop: Shop, session_of: SessionOf, step: str, after: bool
) -> None:
    first = dict(shop.held)
    async with serving(own_temporal, shop, session_of, Fault(step, after=after)) as handle:
        done = await handle.result()
        await nothing_leaked(handle, shop)
    entry = await asyncio.to_thread(shop.store.describe, shop.organization, PATH)
    await shop.log_in()

    shop.kept_its_promises()
    assert (done.before, done.version, done.consumers) == (1, 2, ("web in production",))
    assert (entry.active, entry.newest, entry.rotation) == (2, 2, "")
    assert [version.is_readable for version in entry.versions] == [False, True]
    assert [note.phase.value for note in shop.notes] == ["Running", "Succeeded"]
    assert await shop.accepts(first)
    assert await shop.count_valid() == 1


@pytest.mark.parametrize(
    ("shop", "more", "lives"),
    [
        ("secret_ids", {}, 7200),
        ("secret_ids", {"max_age_seconds": 600}, 600),
        ("values", {"max_age_seconds": 600}, 600),
    ],
    indirect=["shop"],
)
async def test_what_ends_by_itself_or_by_its_age_is_told_as_expiry(
    own_temporal: Client, shop: Shop, session_of: SessionOf, more: dict[str, Any], lives: int
) -> None:
    begun = datetime.now(UTC)
    async with serving(own_temporal, shop, session_of, **more) as handle:
        await handle.result()
    ended = datetime.now(UTC)
    expires = (await asyncio.to_thread(shop.store.describe, shop.organization, PATH)).expires

    assert expires is not None
    # It is written down in whole seconds.
    assert begun - timedelta(seconds=1) <= expires - timedelta(seconds=lives) <= ended
    assert [note.expires for note in shop.notes if note.version] == [expires]


@pytest.mark.parametrize("waits_in", ["observe", "finish"])
async def test_a_rotation_is_rolled_back_until_it_has_finished(
    own_temporal: Client, shop: Shop, session_of: SessionOf, waits_in: str
) -> None:
    first = dict(shop.held)
    waits: dict[str, Any] = {
        "quiet_seconds" if waits_in == "observe" else "destroy_after_seconds": 3000
    }
    async with serving(own_temporal, shop, session_of, **waits) as handle:
        await until(handle, in_step(waits_in))
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        await nothing_leaked(handle, shop)
    entry = await asyncio.to_thread(shop.store.describe, shop.organization, PATH)
    await shop.log_in()

    # While the old one is locked its consumers hold the new one: no login can fail either.
    shop.kept_its_promises()
    assert (entry.active, entry.rotation, await shop.count_valid()) == (1, "", 1)
    assert shop.held == first
    assert [version.is_readable for version in entry.versions] == [True, False]
    assert shop.notes[-1].phase.value == "Cancelled"


async def test_a_second_writer_ends_the_rotation_and_its_value_comes_into_use(
    own_temporal: Client,
    database: Database,
    session_of: SessionOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = SecretStore.write
    foreign = {"username": ROLES[0], "password": f"{CANARY}-first", "note": "by somebody else"}

    def beaten(self: SecretStore, *place: Any, **about: Any) -> int:
        write(self, database.organization, PATH, foreign, expected=1)
        return write(self, *place, **about)

    monkeypatch.setattr(SecretStore, "write", beaten)
    async with serving(own_temporal, database, session_of) as handle:
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    entry = await asyncio.to_thread(database.store.describe, database.organization, PATH)

    assert database.failures == []
    assert "somebody else wrote version 2" in str(failed.value.cause)
    assert (entry.active, entry.newest, entry.rotation) == (2, 2, "")

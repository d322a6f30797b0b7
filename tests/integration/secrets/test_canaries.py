"""No value leaves, also when OpenBao answers with errors that hold what was asked and kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hvac import exceptions
from hvac.adapters import JSONAdapter
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError

from activities.records.facts import RecordActivities
from clients.records import SqlRecords
from domain.records import FactBatch
from tests.integration.secrets.shop import (
    CANARY,
    ROLES,
    Database,
    SessionOf,
    Shop,
    nothing_leaked,
    serving,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each first question of a step about a value is carried out, and answered with an error."""
    real, seen, told = JSONAdapter.request, set[tuple[Any, ...]](), list[str]()

    def failing(self: JSONAdapter, method: str, url: str, *rest: Any, **more: Any) -> Any:
        answer = real(self, method, url, *rest, **more)
        if "/data/" not in url or not activity.in_activity():
            return answer
        key = (activity.info().activity_type, method, url)
        if key not in seen:
            seen.add(key)
            told.append(f"{more.get('json')} {answer}")
            raise exceptions.InternalServerError(told[-1], text=told[-1])
        return answer

    monkeypatch.setattr(JSONAdapter, "request", failing)
    return told


async def test_no_value_is_in_histories_records_or_logs_when_errors_of_openbao_hold_it(
    *,
    own_temporal: Client,
    shop: Shop,
    session_of: SessionOf,
    told: list[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(own_temporal, shop, session_of) as handle:
        done = await handle.result()
        await nothing_leaked(handle, shop)
    await shop.log_in()
    file = tmp_path / "records.db"
    records = SqlRecords.open(f"sqlite:///{file}")
    await records.migrate()
    await RecordActivities(records).record(FactBatch(facts=tuple(shop.facts)))
    await records.close()

    assert done.version == 2
    shop.kept_its_promises()
    # The errors did hold values; whoever looks for them finds none elsewhere.
    new = shop.held[shop.secret_field]
    assert any(CANARY in error for error in told)
    assert any(new in error for error in told)
    everything = caplog.text + file.read_bytes().decode(errors="replace")
    assert "rotation.ended" in everything
    assert [value for value in (*shop.seen, new) if value in everything] == []


async def test_a_database_that_refuses_the_new_credential_keeps_the_old_one(
    own_temporal: Client, database: Database, session_of: SessionOf
) -> None:
    admin = await database.connect("postgres", CANARY)
    hba = await admin.fetchval("SHOW hba_file")
    rules = f"host all {ROLES[1]} 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256"
    await admin.execute(f"COPY (SELECT unnest(string_to_array('{rules}', E'\\n'))) TO '{hba}'")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    first = dict(database.held)
    async with serving(own_temporal, database, session_of) as handle:
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        await nothing_leaked(handle, database)
    await database.log_in()

    assert "refuses the credential of shop_b" in str(failed.value.cause)
    assert database.held == first
    assert await database.count_valid() == 1
    database.kept_its_promises()

"""OpenBao's own audit log tells who read a secret."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import hvac
import pytest
from hvac import exceptions

from clients.vault import AuditLog, SecretStore
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from tests.integration.secrets.shop import CANARY, PATH, SessionOf

pytestmark = pytest.mark.integration


async def test_each_role_that_read_a_secret_is_told_and_who_was_refused_and_no_value(
    stack: dict[str, str],
    state: StateDir,
    organization: str,
    store: SecretStore,
    session_of: SessionOf,
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    plane = SecretStore(session_of(roles.PLANE))
    stranger = hvac.Client(stack["PAVANE_VAULT__ADDRESS"], "s.stranger")

    def read() -> None:
        store.write(organization, PATH, {"value": CANARY}, expected=0)
        store.write(organization, f"{PATH}-other", {"value": CANARY}, expected=0)
        for one, times in ((store, 1), (plane, 2)):
            for _ in range(times):
                one.read(organization, PATH, 1)
        store.read(organization, f"{PATH}-other", 1)
        with pytest.raises(exceptions.Forbidden):
            stranger.read(f"org/{organization}/data/{PATH}")

    await asyncio.to_thread(read)
    log = AuditLog(state.logs / "openbao-audit.log")
    found = await asyncio.to_thread(log.readers, organization, PATH, since)
    later = await asyncio.to_thread(
        log.readers, organization, PATH, datetime.now(UTC) + timedelta(days=1)
    )

    told = {one.role: (one.times, one.refused) for one in found.readers}
    assert told == {ROTATOR: (1, 0), roles.PLANE: (2, 0), "nobody who signed in": (1, 1)}
    assert {one.address for one in found.readers} == {"127.0.0.1"}
    assert found.begins is not None
    assert found.begins <= since
    assert CANARY not in str(found)
    assert later.readers == ()

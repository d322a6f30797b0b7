"""Secrets that expire are told to who asks why a component is not somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.views.used_secrets import expiring_secrets
from clients.kubernetes import Cluster
from clients.vault import SecretStore
from clients.vault.kv import EXPIRES, OWNER
from domain.errors import DependencyUnavailable
from tests.integration.api.conftest import component, resource
from tests.integration.api.test_secrets_over_http import vault

SignIn = Callable[[str], httpx.AsyncClient]
USED, LATE, OTHER = (f"shop/production/{name}" for name in ("db", "smtp", "other"))
__all__ = ["vault"]


@pytest.fixture
async def using(acme: str, sign_in: SignIn) -> str:
    """A component whose configuration names two secrets in production."""
    web = component(acme, "web")
    web["spec"]["configurationGroupRefs"] = ["web"]
    production = {"dataPlaneRef": "local", "isProduction": True}
    keys = [
        {
            "key": path.rpartition("/")[2],
            "values": [{"environmentRef": "production", "vaultKey": f"{path}/value"}],
        }
        for path in (USED, LATE)
    ]
    declared = [
        resource("ConfigurationGroup", "web", acme, {"configurations": keys}),
        resource("Project", "shop", acme, {"deploymentPipelineRef": "standard"}),
        resource("DataPlane", "local", acme, {}),
        resource("ServiceClass", "standard-service", acme, {}),
        resource("Environment", "development", acme, {"dataPlaneRef": "local"}),
        resource("Environment", "production", acme, production),
        web,
    ]
    async with sign_in("ada") as admin:
        answer = await admin.post("/v1/apply", json=declared)
        assert answer.status_code == 200, answer.text
    return acme


async def test_of_the_secrets_a_component_uses_somewhere_those_that_expire_are_told(
    using: str, vault: SecretStore, cluster: Cluster
) -> None:
    def keep(path: str, days: int) -> None:
        vault.write(using, path, {"value": "x"}, expected=0)
        moment = datetime.now(UTC) + timedelta(days=days)
        vault.note(using, path, {EXPIRES: moment.isoformat(), OWNER: "owners"})

    for path, days in ((USED, -1), (LATE, 90), (OTHER, 1)):
        await asyncio.to_thread(keep, path, days)

    def away() -> SecretStore:
        raise DependencyUnavailable("OpenBao does not answer")

    there, here, unknown = [
        await expiring_secrets(cluster, store, using, "web", environment)
        for store, environment in (
            (lambda: vault, "production"),
            (lambda: vault, "development"),
            (away, "production"),
        )
    ]

    assert [(one.path, one.owner) for one in there] == [(USED, "owners")]
    assert (here, unknown) == ((), ())

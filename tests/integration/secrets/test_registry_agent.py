"""OpenBao's own agent brings the file of users to a registry: no test in its place does."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hvac
import pytest
from temporalio.client import Client

from clients.vault import SecretStore
from devstack.core.openbao import root_token
from devstack.programs import Silent, ensure
from devstack.state import StateDir
from tests.integration.secrets.shop import (
    HTPASSWD,
    Pulls,
    SessionOf,
    nothing_leaked,
    serving,
)
from tests.registries import GuardedRegistry, guarded_registry

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
_BRINGER = "registry"
_CONFIGURATION = """\
vault {{ address = "{address}" }}
auto_auth {{
  method "approle" {{
    mount_path = "auth/org/{organization}"
    config = {{
      role_id_file_path                   = "{folder}/role-id"
      secret_id_file_path                 = "{folder}/secret-id"
      remove_secret_id_file_after_reading = false
    }}
  }}
}}
template_config {{ static_secret_render_interval = "1s" }}
template {{
  contents    = "{{{{ with secret \\"org/{organization}/data/{path}\\" }}}}{{{{ .Data.data.htpasswd }}}}{{{{ end }}}}"
  destination = "{file}"
  perms       = "0600"
}}
"""  # noqa: E501 - a line of the configuration


@pytest.fixture
def bao(stack: dict[str, str], state: StateDir) -> hvac.Client:
    """What a platform engineer is to OpenBao."""
    return hvac.Client(stack["PAVANE_VAULT__ADDRESS"], root_token(state))


@pytest.fixture
def registry() -> Iterator[GuardedRegistry]:
    """A registry of the test's own, whose file nobody touches but the agent."""
    with guarded_registry(brings=False) as made:
        yield made


@pytest.fixture
async def pulls(
    bao: hvac.Client,
    tmp_path: Path,
    store: SecretStore,
    organization: str,
    registry: GuardedRegistry,
) -> AsyncIterator[Pulls]:
    shop = Pulls(store, organization, registry=registry)
    await shop.keep_users()
    await asyncio.to_thread(admit, bao, organization, tmp_path)
    configuration = tmp_path / "agent.hcl"
    configuration.write_text(
        _CONFIGURATION.format(
            address=bao.url,
            organization=organization,
            folder=tmp_path,
            path=HTPASSWD,
            file=registry.file,
        )
    )
    program = ensure(["openbao"], progress=Silent())["openbao"].path
    with (tmp_path / "agent.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - it is begun, not waited for
            [program, "agent", f"-config={configuration}", "-log-level=warn"],
            stdout=log,
            stderr=log,
        )
        try:
            await until(shop, shop.first, is_taken=True)
            async with shop.observed():
                yield shop
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


def admit(bao: hvac.Client, organization: str, folder: Path) -> None:
    """Makes the AppRole of the agent, as a platform engineer does: it reads that one secret."""
    rules = {f"org/{organization}/data/{HTPASSWD}": {"capabilities": ["read"]}}
    policy = f"{organization}-{_BRINGER}"
    bao.sys.create_or_update_policy(policy, json.dumps({"path": rules}))
    role = f"/v1/auth/org/{organization}/role/{_BRINGER}"
    bao.adapter.post(role, json={"token_policies": [policy], "token_ttl": "10m"})
    role_id = bao.adapter.get(f"{role}/role-id")["data"]["role_id"]
    secret_id = bao.adapter.post(f"{role}/secret-id", json={})["data"]["secret_id"]
    for name, content in (("role-id", role_id), ("secret-id", secret_id)):
        (folder / name).write_text(content)


async def until(shop: Pulls, held: dict[str, str], *, is_taken: bool) -> None:
    """Waits until the registry takes a credential, or takes it no more."""
    async with asyncio.timeout(60):
        while bool(await shop.accepts(held)) is is_taken:  # noqa: ASYNC110 - the registry says so
            await asyncio.sleep(0.1)


async def test_the_real_registry_takes_the_new_credential_and_refuses_the_old_one(
    own_temporal: Client, pulls: Pulls, session_of: SessionOf
) -> None:
    first = dict(pulls.held)
    async with serving(own_temporal, pulls, session_of) as handle:
        done = await handle.result()
        await nothing_leaked(handle, pulls)

    assert (done.before, done.version) == (1, 2)
    assert pulls.held["username"] == pulls.users[1]
    assert await pulls.accepts(pulls.held) == ""
    await until(pulls, first, is_taken=False)
    await pulls.log_in()
    pulls.kept_its_promises()

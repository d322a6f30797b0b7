"""OpenBao with raft storage, initialised and unsealed by the stack."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import httpx

from devstack.component import Component, HttpProbe, Part, Step
from devstack.context import StackContext
from devstack.core import people, roles, signing
from devstack.errors import DevstackError
from devstack.files import write_private
from devstack.state import StateDir

CLIENT_ID = "pavane"
_LOOPBACK = "127.0.0.1"
_PAUSE = 0.02
_REFUSED = 400


def parts(context: StackContext) -> Sequence[Part]:
    """The server, unsealed after each start, and what people and the platform need inside."""
    url = address(context)

    async def configure() -> None:
        forget_half_begun(context.state)
        _write_configuration(context)

    async def unseal() -> None:
        await unseal_server(context.state, url)

    async def set_up() -> None:
        async with connect(context.state, url) as bao:
            await people.set_up(bao, context.state, client_id=CLIENT_ID)
            await signing.set_up(bao, context.state)
            tokens = context.pki.signing_key("service-accounts")
            await roles.set_up_all(bao, context.state, tokens.public.read_text())

    return [
        Component(
            name="openbao",
            argv=(
                str(context.programs.path("bao")),
                "server",
                f"-config={context.state.config / 'openbao.hcl'}",
            ),
            before_start=configure,
            ready=HttpProbe(f"{url}/v1/sys/seal-status"),
            after_ready=unseal,
        ),
        Step(name="openbao-setup", run=set_up, needs=("openbao",)),
    ]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to OpenBao, and trusts the tokens it issues."""
    issuer = f"{address(context)}/v1/identity/oidc"
    return {
        "VAULT_ADDR": address(context),
        "PAVANE_OIDC__ISSUER": issuer,
        "PAVANE_OIDC__DISCOVERY_URL": f"{issuer}/.well-known/openid-configuration",
        "PAVANE_OIDC__AUDIENCE": CLIENT_ID,
        "PAVANE_VAULT__ADDRESS": address(context),
        "PAVANE_VAULT__AUDIT_LOG": str(_audit_log(context.state)),
        "PAVANE_VAULT__ROLE_ID": signing.ROLE,
        "PAVANE_VAULT__SECRET_ID_FILE": str(roles.secret_id_file(context.state, signing.ROLE)),
        **{
            f"PAVANE_VAULT__{area}__SECRET_ID_FILE": str(roles.secret_id_file(context.state, role))
            for area, role in (
                ("TENANTS", roles.TENANTS),
                ("PLANE", roles.PLANE),
                ("PLANES", roles.PLANES),
                ("API", roles.API),
            )
        },
        "PAVANE_AUDIT__VERIFY_KEYS": str(signing.public_keys(context.state)),
    }


def address(context: StackContext) -> str:
    """The URL of the server."""
    return f"http://{_LOOPBACK}:{context.ports['openbao']}"


def root_token(state: StateDir) -> str:
    """The root token.

    Raises:
        DevstackError: the stack was never up.
    """
    try:
        return str(json.loads(_keys(state).read_text())["root_token"])
    except FileNotFoundError:
        message = "the stack has no OpenBao keys yet; start it with `pavane stack up`"
        raise DevstackError(message) from None


def connect(state: StateDir, url: str) -> httpx.AsyncClient:
    """A client with every right; close it after use."""
    headers = {"X-Vault-Token": root_token(state)}
    return httpx.AsyncClient(base_url=f"{url}/v1/", headers=headers, timeout=20, trust_env=False)


def _audit_log(state: StateDir) -> Path:
    return state.logs / "openbao-audit.log"


def _keys(state: StateDir) -> Path:
    return state.secrets / "openbao.json"


def _begun(state: StateDir) -> Path:
    return state.secrets / "openbao.begun"


def forget_half_begun(state: StateDir) -> None:
    """Deletes the data of a server whose keys were lost while it was given them.

    A stack that is killed in that moment has a server nobody can open, and nothing in it: nobody
    ever had a token. Call it while the server does not run; safe to repeat.
    """
    if _begun(state).exists() and not _keys(state).exists():
        shutil.rmtree(state.data / "openbao", ignore_errors=True)
    _begun(state).unlink(missing_ok=True)


def _write_configuration(context: StackContext) -> None:
    data = context.state.data / "openbao"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    cluster = f"{_LOOPBACK}:{context.ports['openbao-cluster']}"
    # No `issuer` is set anywhere: only then does the discovery document name the tokens' issuer.
    configuration = f"""\
storage "raft" {{
  path                   = {json.dumps(str(data))}
  node_id                = "stack"
  performance_multiplier = 1
}}
listener "tcp" {{
  address         = "{_LOOPBACK}:{context.ports["openbao"]}"
  cluster_address = "{cluster}"
  tls_disable     = true
}}
audit "file" "file" {{
  options {{
    file_path = {json.dumps(str(_audit_log(context.state)))}
  }}
}}
api_addr     = "{address(context)}"
cluster_addr = "http://{cluster}"
log_level    = "warn"
ui           = true
"""
    write_private(context.state.config / "openbao.hcl", configuration)


async def unseal_server(state: StateDir, url: str) -> None:
    """Initialises the server on its first start, unseals it, and waits until it is active.

    Raises:
        DevstackError: there is data, but its key is lost.
    """
    async with httpx.AsyncClient(base_url=f"{url}/v1/sys/", timeout=60, trust_env=False) as bao:
        status = (await bao.get("seal-status")).json()
        if not status["initialized"]:
            write_private(_begun(state), "")
            answer = await bao.put("init", json={"secret_shares": 1, "secret_threshold": 1})
            answer.raise_for_status()
            made = answer.json()
            kept = {"unseal_key": made["keys_base64"][0], "root_token": made["root_token"]}
            write_private(_keys(state), json.dumps(kept))
            _begun(state).unlink()
        if not _keys(state).exists():
            message = (
                "OpenBao has data, but its unseal key is lost; `pavane stack reset` starts anew"
            )
            raise DevstackError(message)
        key = json.loads(_keys(state).read_text())["unseal_key"]
        answer = await bao.put("unseal", json={"key": key})
        if answer.status_code >= _REFUSED:
            message = "OpenBao refuses the unseal key; `pavane stack reset` starts anew"
            raise DevstackError(message)
        while (await bao.get("health")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - a server
            await asyncio.sleep(_PAUSE)

"""The AppRoles by which Pavane's processes sign in to OpenBao, each with its own rights."""

import secrets
from pathlib import Path

import httpx

from devstack.core.bao import mount, write
from devstack.files import write_private
from devstack.state import StateDir
from domain.secrets import rights

TENANTS = "pavane-tenants"
PLANE = "pavane-plane"
PLANES = "pavane-planes"
API = "pavane-api"
_RIGHTS = {
    TENANTS: rights.TENANT_SETUP,
    PLANE: rights.DELIVERER,
    PLANES: rights.CONNECTOR,
    API: rights.KEEPER,
}


async def set_up_all(bao: httpx.AsyncClient, state: StateDir, public_key: str) -> None:
    """Makes the roles of the platform, and lets pods sign in; safe to repeat.

    ``public_key`` proves the tokens of service accounts.
    """
    for name, rules in _RIGHTS.items():
        await set_up(bao, state, name, rights.policy(rules))
    await mount(bao, "auth/jwt", {"type": "jwt"})
    await write(bao, "auth/jwt/config", {"jwt_validation_pubkeys": [public_key]})


async def set_up(bao: httpx.AsyncClient, state: StateDir, role: str, policy: str) -> None:
    """Makes one role with a policy of its own and its secret id; safe to repeat."""
    await mount(bao, "auth/approle", {"type": "approle"})
    await write(bao, f"sys/policies/acl/{role}", {"policy": policy})
    path = f"auth/approle/role/{role}"
    # Without the default policy a token cannot even look at itself: it does its work, that is all.
    limits = {"token_policies": [role], "token_no_default_policy": True, "token_ttl": "10m"}
    await write(bao, path, {**limits, "token_max_ttl": "10m", "secret_id_ttl": "0"})
    await write(bao, f"{path}/role-id", {"role_id": role})
    given = secret_id(state, role)
    known = await bao.post(f"{path}/secret-id/lookup", json={"secret_id": given})
    if known.status_code != httpx.codes.OK:
        await write(bao, f"{path}/custom-secret-id", {"secret_id": given})


def secret_id_file(state: StateDir, role: str) -> Path:
    """The file with what a process signs in with, readable by the owner alone."""
    return state.secrets / f"{role.removesuffix('-secrets')}-secret-id"


def secret_id(state: StateDir, role: str) -> str:
    """What a process signs in with, made on first use."""
    file = secret_id_file(state, role)
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text()

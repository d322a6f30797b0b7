"""The key with which audit chains are signed, and the one role that may sign with it."""

import secrets
from pathlib import Path

import httpx

from devstack.core.bao import mount, read, write
from devstack.files import write_atomically, write_private
from devstack.state import StateDir

ROLE = "pavane-secrets"
KEY = "pavane-audit"
# The role may sign with this key and read its public half; nothing else in OpenBao.
_POLICY = f"""\
path "transit/sign/{KEY}" {{ capabilities = ["update"] }}
path "transit/sign/{KEY}/*" {{ capabilities = ["update"] }}
path "transit/keys/{KEY}" {{ capabilities = ["read"] }}
"""


async def set_up(bao: httpx.AsyncClient, state: StateDir) -> None:
    """Makes the key, the role and the role's secret, and keeps the public key; safe to repeat."""
    await mount(bao, "mounts/transit", {"type": "transit"})
    await mount(bao, "auth/approle", {"type": "approle"})
    await write(bao, f"transit/keys/{KEY}", {"type": "ecdsa-p256"})
    await write(bao, f"sys/policies/acl/{ROLE}", {"policy": _POLICY})
    role = f"auth/approle/role/{ROLE}"
    # Without the default policy a token cannot even look at itself: it signs, and that is all.
    limits = {"token_policies": [ROLE], "token_no_default_policy": True, "token_ttl": "10m"}
    await write(bao, role, {**limits, "token_max_ttl": "10m", "secret_id_ttl": "0"})
    await write(bao, f"{role}/role-id", {"role_id": ROLE})
    await _give_secret_id(bao, role, secret_id(state))
    for version, each in (await read(bao, f"transit/keys/{KEY}"))["keys"].items():
        write_atomically(public_keys(state) / f"{KEY}-{version}.pem", each["public_key"])


def secret_id_file(state: StateDir) -> Path:
    """The file with what the worker signs in with, readable by the owner alone."""
    return state.secrets / "pavane-secret-id"


def secret_id(state: StateDir) -> str:
    """What the worker signs in with, made on first use."""
    file = secret_id_file(state)
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text()


def public_keys(state: StateDir) -> Path:
    """The folder with the public keys that signatures are believed by."""
    return state.config / "audit-keys"


async def _give_secret_id(bao: httpx.AsyncClient, role: str, given: str) -> None:
    known = await bao.post(f"{role}/secret-id/lookup", json={"secret_id": given})
    if known.status_code != httpx.codes.OK:
        await write(bao, f"{role}/custom-secret-id", {"secret_id": given})

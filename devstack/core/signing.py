"""The key with which audit chains are signed, and the one role that may sign with it."""

from pathlib import Path

import httpx

from devstack.core import roles
from devstack.core.bao import mount, read, write
from devstack.files import write_atomically
from devstack.state import StateDir
from domain.secrets import rights

ROLE = "pavane-secrets"
KEY = "pavane-audit"
# Of keys the role may sign with this one and read its public half.
_POLICY = f"""\
path "transit/sign/{KEY}" {{ capabilities = ["update"] }}
path "transit/sign/{KEY}/*" {{ capabilities = ["update"] }}
path "transit/keys/{KEY}" {{ capabilities = ["read"] }}
"""


async def set_up(bao: httpx.AsyncClient, state: StateDir) -> None:
    """Makes the key, the role and the role's secret, and keeps the public key; safe to repeat."""
    await mount(bao, "mounts/transit", {"type": "transit"})
    await write(bao, f"transit/keys/{KEY}", {"type": "ecdsa-p256"})
    await roles.set_up(bao, state, ROLE, _POLICY + rights.policy(rights.ROTATOR))
    for version, each in (await read(bao, f"transit/keys/{KEY}"))["keys"].items():
        write_atomically(public_keys(state) / f"{KEY}-{version}.pem", each["public_key"])


def public_keys(state: StateDir) -> Path:
    """The folder with the public keys that signatures are believed by."""
    return state.config / "audit-keys"

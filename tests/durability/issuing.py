"""The PKI engine of a place in the stack's real OpenBao, and a certificate of a service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import hvac

from devstack.core.openbao import root_token
from devstack.state import StateDir
from tests.durability.place import Place
from tests.durability.vaults import Held
from tests.tls import BUNDLE, context, handshake

_NAME, _ROLE = "web", "mesh"
TARGET: dict[str, Any] = {
    "role": _ROLE,
    "certificates": [{"name": _NAME, "commonName": "web.shop.internal", "altNames": [_NAME]}],
    "ttlSeconds": 3600,
    "issuerTtlSeconds": 86400,
    "newIssuer": "Always",
}


class Issuing:
    """The certificates of one organization."""

    def __init__(self, place: Place) -> None:
        state = StateDir(Path(place.environment["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
        self._bao = hvac.Client(place.environment["PAVANE_VAULT__ADDRESS"], root_token(state))
        self._mount = f"pki/{place.name}"

    async def set_up(self) -> Held:
        """Mounts the engine, as a platform engineer does; returns the first certificate."""

        def make() -> Held:
            post, root = self._bao.adapter.post, f"/v1/{self._mount}"
            self._bao.sys.enable_secrets_engine(
                "pki", path=self._mount, config={"max_lease_ttl": "48h"}
            )
            about = {"common_name": "first", "key_type": "ec", "ttl": "24h"}
            first = post(f"{root}/root/generate/internal", json=about)["data"]
            post(f"{root}/roles/{_ROLE}", json={"allow_any_name": True, "key_type": "ec"})
            about = {"common_name": "web.shop.internal", "alt_names": _NAME, "ttl": "1h"}
            made = post(f"{root}/issue/{_ROLE}", json=about)["data"]
            return {
                BUNDLE: first["certificate"],
                f"{_NAME}.crt": made["certificate"],
                f"{_NAME}.key": made["private_key"],
            }

        return await asyncio.to_thread(make)

    async def accepts(self, held: Held) -> bool:
        """Tells whether who holds this lets in, and is let in by, who holds the same."""
        shown, asked = (context(held, _NAME, server=server) for server in (False, True))
        return not handshake(shown, asked, _NAME)

    async def count_valid(self) -> int:
        """How many issuers there are."""
        found = await asyncio.to_thread(self._bao.list, f"{self._mount}/issuers")
        return len(found["data"]["keys"])

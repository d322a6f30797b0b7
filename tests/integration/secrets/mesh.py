"""Two services that talk mTLS: each shows its certificate to the other one and asks for its."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import hvac
from hvac.exceptions import InternalServerError

from clients import certificates
from domain.deliveries.rotations import CertificateName, CertificateTarget
from domain.deliveries.secrets import SecretDelivered
from tests.integration.secrets.shop import CANARY, PATH, Shop
from tests.tls import context, handshake

SERVICES = ("web", "web-2")
ROLE = "mesh"
Held = dict[str, str]


@dataclass
class Mesh(Shop):
    """Services that trust who is signed by an issuer of the organization, in OpenBao's PKI."""

    bao: hvac.Client = None
    """Signed in with the root token: what a platform engineer does, and who looks from outside."""
    consumers: int = len(SERVICES)
    always: bool = True
    given: dict[str, Held] = field(default_factory=dict)
    """What lies beside the pods of each service."""
    runs: dict[str, Held] = field(default_factory=dict)
    """What the pods of each service began with."""
    states: list[tuple[str, ...]] = field(default_factory=list)
    """What the services showed and trusted together, whenever that changed."""

    @property
    def target(self) -> dict[str, Any]:
        found = CertificateTarget(
            role=ROLE,
            certificates=tuple(
                CertificateName(name=name, common_name=f"{name}.shop.internal", alt_names=(name,))
                for name in SERVICES
            ),
            ttl_seconds=3600,
            issuer_ttl_seconds=86400,
            always_new_issuer=self.always,
        )
        return {"engine": "PKI", "certificates": found}

    @property
    def root(self) -> str:
        return f"pki/{self.organization}"

    async def set_up(self) -> None:
        """Makes the first issuer, the role and the first certificates, by hand."""

        def make() -> Held:
            post = self.bao.adapter.post
            config = {"max_lease_ttl": "48h"}
            self.bao.sys.enable_secrets_engine("pki", path=self.root, config=config)
            about = {"common_name": "first", "key_type": "ec", "ttl": "24h"}
            first = post(f"/v1/{self.root}/root/generate/internal", json=about)
            rules = {"allow_any_name": True, "key_type": "ec", "max_ttl": "2h"}
            post(f"/v1/{self.root}/roles/{ROLE}", json=rules)
            values = {"ca.crt": first["data"]["certificate"], "note": CANARY}
            for name in SERVICES:
                about = {"common_name": f"{name}.shop.internal", "alt_names": name}
                made = post(f"/v1/{self.root}/issue/{ROLE}", json=about)["data"]
                values |= {f"{name}.crt": made["certificate"], f"{name}.key": made["private_key"]}
            return values

        await self.keep(PATH, await asyncio.to_thread(make))

    def deliver(self) -> SecretDelivered:
        """At first all have what there is."""
        told = super().deliver()
        self.given = {name: dict(self.held) for name in SERVICES}
        self.runs = dict(self.given)
        return told

    async def deliver_to(self, consumer: str) -> SecretDelivered:
        self.delivered.add(consumer)
        entry = await asyncio.to_thread(self.store.describe, self.organization, PATH)
        read = self.store.read
        values = await asyncio.to_thread(read, self.organization, PATH, entry.active)
        self.given[consumer] = dict(values)
        return SecretDelivered(changed=True, versions={PATH: entry.active})

    def restarted(self, consumer: str) -> None:
        self.runs[consumer] = self.given[consumer]
        self._call()

    async def log_in(self) -> None:
        """What both do all the time."""
        self._call()

    def _call(self) -> None:
        """Each service calls the other one; a refusal is a promise that was broken."""
        runs = dict(self.runs)
        self.seen |= {held[f"{name}.key"] for name, held in runs.items()}
        state = tuple(self._said(name, runs[name]) for name in SERVICES)
        if state not in self.states[-1:]:
            self.states.append(state)
        for caller, callee in (SERVICES, SERVICES[::-1]):
            shown = context(runs[caller], caller, server=False)
            asked = context(runs[callee], callee, server=True)
            problem = handshake(shown, asked, callee)
            if problem:
                self.failures.append(f"{caller} calls {callee}: {problem}; {state}")
            else:
                self.logins += 1

    @staticmethod
    def _said(name: str, held: Held) -> str:
        """Which issuer signed what a service shows, and which it trusts; the newest one is last."""
        trusted = certificates.serials(held["ca.crt"], name)
        by = certificates.issuer_of(held[f"{name}.crt"], held["ca.crt"], name)
        return f"{trusted.index(by) + 1} of {len(trusted)}"

    async def accepts(self, held: Held) -> str:
        """Whether the other one still takes what a service held; empty = it does."""
        caller, callee = SERVICES
        shown = context({**held, "ca.crt": self.runs[caller]["ca.crt"]}, caller, server=False)
        return handshake(shown, context(self.runs[callee], callee, server=True), callee)

    async def count_valid(self) -> int:
        """How many issuers there are; OpenBao refuses to list them while it removes one."""
        while True:
            try:
                found = await asyncio.to_thread(self.bao.list, f"{self.root}/issuers")
            except InternalServerError as error:
                if "does not exist" not in str(error):
                    raise
            else:
                return len(found["data"]["keys"])

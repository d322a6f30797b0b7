"""Certificates that trust each other: issued anew, by a new issuer when everyone trusts that one.

A secret has the fields `NAME.crt` and `NAME.key` for each certificate, and `ca.crt`: what services
trust. The issuer that signs is the last one in `ca.crt`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from activities.common.clocks import Clock
from clients import certificates as x509
from clients.vault import SecretValues
from clients.vault.issuers import Issuer, Issuers
from domain.deliveries.rotations import CertificateTarget
from domain.errors import InvalidRequest

BUNDLE = "ca.crt"


class CertificateEngine:
    """The certificates of one secret, signed by an issuer in the organization's PKI engine."""

    def __init__(self, organization: str, target: CertificateTarget, issuers: Issuers) -> None:
        self._organization = organization
        self._target = target
        self._issuers = issuers
        self._pairs = {one: (f"{one.name}.crt", f"{one.name}.key") for one in target.certificates}

    async def check(self, old: SecretValues) -> None:
        """Each certificate is taken by who trusts the bundle.

        Raises:
            InvalidRequest: A field is missing, or is not what its name says.
        """
        wanted = {BUNDLE, *(field for pair in self._pairs.values() for field in pair)}
        if missing := sorted(wanted - set(old)):
            raise InvalidRequest(f"the secret has no field {missing[0]}: see spec.pki")
        await self.test(old)

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """New keys and certificates, signed by the last issuer of the bundle.

        Raises:
            InvalidRequest: No issuer of the bundle is in the organization's PKI engine.
        """
        issuer = (await self._known(old))[-1:]
        if not issuer:
            raise InvalidRequest(f"no issuer in {BUNDLE} is one of pki/{self._organization}")
        made = dict(old)
        for one, (certificate, key) in self._pairs.items():
            made[key], asked = x509.request(one.common_name, one.alt_names)
            made[certificate] = await asyncio.to_thread(
                self._issuers.sign,
                self._organization,
                issuer[0].id,
                self._target.role,
                asked,
                self._target.ttl_seconds,
            )
        return made

    async def ends(self, new: SecretValues) -> datetime:
        """When the first certificate of it, or the issuer of all, is good no more."""
        issuer = self.trusting_new(new)[BUNDLE]
        leafs = [
            x509.ends(new[certificate], certificate) for certificate, _ in self._pairs.values()
        ]
        return min(x509.ends(issuer, BUNDLE), *leafs)

    async def give(self, new: SecretValues) -> None:
        """There is nobody to tell: a signature is all it takes."""

    async def test(self, new: SecretValues) -> None:
        """Who trusts the bundle takes each of them."""
        now = Clock().now()
        for certificate, key in self._pairs.values():
            x509.check(new[certificate], new[key], new[BUNDLE], certificate, now)

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """OpenBao does not see who shows a certificate to whom."""
        del old
        return ()

    async def lock(self, old: SecretValues) -> None:
        """Nothing: a certificate that is revoked stays so. A former issuer is trusted no more."""

    async def cut_off(self, old: SecretValues) -> None:
        """As ``lock``."""

    async def unlock(self, old: SecretValues) -> None:
        """As ``lock``."""

    async def destroy(self, gone: SecretValues) -> None:
        """Revokes them where their issuer is still there to say so."""
        there = {one.serial for one in await self._known(gone)}
        for certificate, _ in self._pairs.values():
            if x509.issuer_of(gone[certificate], gone[BUNDLE], certificate) in there:
                await asyncio.to_thread(self._issuers.revoke, self._organization, gone[certificate])

    async def trusting_both(
        self, old: SecretValues, name: str, *, leaked: bool
    ) -> dict[str, str] | None:
        """Returns what is old, trusting a new issuer too; None = the present issuer goes on.

        Idempotent: an issuer of that name is adopted.
        """
        target, present = self._target, await self._known(old)
        rest = timedelta(seconds=target.ttl_seconds)
        if present and not target.always_new_issuer and not leaked:
            own = x509.only(old[BUNDLE], present[-1].serial, BUNDLE)
            if x509.ends(own, BUNDLE) > Clock().now() + rest:
                return None
        made = await asyncio.to_thread(
            self._issuers.ensure, self._organization, name, target.issuer_ttl_seconds
        )
        return {**old, BUNDLE: x509.joined(old[BUNDLE], made, what=BUNDLE)}

    def trusting_new(self, new: Mapping[str, str]) -> dict[str, str]:
        """Returns what is new, trusting its own issuer alone."""
        last = x509.serials(new[BUNDLE], BUNDLE)[-1]
        return {**new, BUNDLE: x509.only(new[BUNDLE], last, BUNDLE)}

    async def forget(self, before: SecretValues, now: SecretValues) -> None:
        """Removes the issuers that were trusted and are no more. Idempotent."""
        kept = set(x509.serials(now[BUNDLE], BUNDLE))
        for issuer in await self._known(now):
            await asyncio.to_thread(self._issuers.is_default, self._organization, issuer.id)
        for issuer in await self._known(before):
            if issuer.serial not in kept:
                await asyncio.to_thread(self._issuers.remove, self._organization, issuer)

    async def withdraw(self, name: str) -> None:
        """Removes the issuer of that name, if there is one. Idempotent."""
        await self.clear({name})

    async def clear(self, names: Collection[str], now: SecretValues | None = None) -> None:
        """Removes issuers by their names, but those that are trusted now. Idempotent."""
        kept = set(x509.serials(now[BUNDLE], BUNDLE)) if now else set()
        for issuer in await asyncio.to_thread(self._issuers.all, self._organization):
            if issuer.name in names and issuer.serial not in kept:
                await asyncio.to_thread(self._issuers.remove, self._organization, issuer)

    async def _known(self, values: Mapping[str, str]) -> list[Issuer]:
        """The issuers of a bundle that are in the organization's engine, in its order."""
        there = await asyncio.to_thread(self._issuers.all, self._organization)
        by_serial = {one.serial: one for one in there}
        return [
            by_serial[serial]
            for serial in x509.serials(values[BUNDLE], BUNDLE)
            if serial in by_serial
        ]

"""Issuers of certificates of organizations: a PKI engine each, in which several may stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hvac

from clients.vault.session import VaultSession
from domain.errors import Conflict, InvalidRequest, NotFound
from domain.secrets.places import certificates_mount

GATEWAY_ROLE = "gateway"
"""The one role of each engine by which a plane worker may have certificates signed."""


@dataclass(frozen=True)
class Issuer:
    """One issuer of an organization."""

    id: str
    name: str
    """Empty = it was given none."""
    serial: int
    """Serial number of its certificate."""
    key: str
    """Id of its private key."""


class Issuers:
    """Makes and removes issuers, and has them sign.

    Blocking. Errors are those of ``VaultSession.ask``.
    """

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def all(self, organization: str) -> list[Issuer]:
        """Returns the issuers there are."""
        url = f"{certificates_mount(organization)}/issuers"
        try:
            found = self._ask(organization, lambda client: client.list(url))
        except NotFound:
            return []
        known = found["data"]["key_info"] if found else {}
        return [
            Issuer(
                id=issuer,
                name=one["issuer_name"],
                serial=int(one["serial_number"].replace(":", ""), 16),
                key=one["key_id"],
            )
            for issuer, one in sorted(known.items())
        ]

    def ensure(self, organization: str, name: str, seconds: int) -> str:
        """Returns the certificate of the issuer of that name; makes it if it is not there."""
        if not any(one.name == name for one in self.all(organization)):
            body = {
                "issuer_name": name,
                "key_name": name,
                "common_name": f"{organization} {name}",
                "key_type": "ec",
                "ttl": f"{seconds}s",
            }
            try:
                self._post(organization, "issuers/generate/root/internal", **body)
            except Conflict:  # somebody else made it since it was looked
                if not any(one.name == name for one in self.all(organization)):
                    raise
        url = f"{certificates_mount(organization)}/issuer/{name}"
        answer = self._ask(organization, lambda client: client.read(url))
        return str(answer["data"]["certificate"]).strip() + "\n"

    def sign(self, organization: str, issuer: str, role: str, request: str, seconds: int) -> str:
        """Returns a certificate for a request.

        Raises:
            InvalidRequest: The role does not allow it.
        """
        try:
            answer = self._post(
                organization, f"issuer/{issuer}/sign/{role}", csr=request, ttl=f"{seconds}s"
            )
        except Conflict:
            raise InvalidRequest(
                f"role {role} of {certificates_mount(organization)} does not sign it: look at the "
                "names it allows, at its key type (`ec` or `any`) and at how long the issuer lives"
            ) from None
        return str(answer["data"]["certificate"]).strip() + "\n"

    def sign_for_gateway(self, organization: str, request: str) -> str:
        """Returns a certificate for a request, with what lies between it and the root.

        The engine's default issuer signs it, and the role ``gateway`` says which names it may.

        Raises:
            InvalidRequest: There is no such engine or role, or the role does not allow it.
        """
        root = certificates_mount(organization)
        try:
            answer = self._post(organization, f"sign/{GATEWAY_ROLE}", csr=request)
        except (NotFound, Conflict) as error:
            lacks = "there is none" if isinstance(error, NotFound) else "it does not allow it"
            raise InvalidRequest(
                f"role {GATEWAY_ROLE} of {root} does not sign for the host names of components: "
                f"{lacks}; look at the engine, the names the role allows, its key type (`ec` or "
                "`any`) and require_cn=false"
            ) from None
        data = answer["data"]
        chain = [str(one) for one in data.get("ca_chain") or ()]
        return "".join(f"{one.strip()}\n" for one in (str(data["certificate"]), *chain))

    def revoke(self, organization: str, certificate: str) -> None:
        """Puts a certificate on the list of revoked ones. Idempotent."""
        self._post(organization, "revoke", certificate=certificate)

    def is_default(self, organization: str, issuer: str) -> None:
        """Makes one issuer the one that signs where none is named. Idempotent."""
        self._post(organization, "config/issuers", default=issuer)

    def remove(self, organization: str, issuer: Issuer) -> None:
        """Removes an issuer, and its key where no other one has it. Idempotent."""
        root = certificates_mount(organization)
        self._ask(organization, lambda client: client.delete(f"{root}/issuer/{issuer.id}"))
        # A key that an issuer has is not let go. Without one it signs nothing.
        if not any(one.key == issuer.key for one in self.all(organization)):
            self._ask(organization, lambda client: client.delete(f"{root}/key/{issuer.key}"))

    def _post(self, organization: str, path: str, **body: Any) -> Any:
        url = f"/v1/{certificates_mount(organization)}/{path}"

        def post(client: hvac.Client) -> Any:
            return client.adapter.post(url, json=body)

        return self._ask(organization, post)

    def _ask(self, organization: str, question: Any) -> Any:
        return self._session.ask(f"certificates of {organization}", question)

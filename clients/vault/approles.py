"""Secret ids of the AppRoles of organizations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hvac

from clients.vault.session import VaultSession
from domain.errors import Conflict, Denied, Errored, NotFound
from domain.secrets import rights
from domain.secrets.places import mount


class AppRoles:
    """Adds, tries and removes secret ids. Blocking. Errors are those of ``VaultSession.ask``."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def add(self, organization: str, role: str, secret_id: str) -> None:
        """Makes the role take a secret id. Idempotent."""
        if not self.has(organization, role, secret_id):
            self._post(organization, role, "custom-secret-id", secret_id)

    def has(self, organization: str, role: str, secret_id: str) -> bool:
        """Tells whether the role takes it."""
        try:
            found = self._post(organization, role, "secret-id/lookup", secret_id)
        except (NotFound, Conflict):
            return False
        # What is not known is answered with nothing: a response without content, which is true.
        return isinstance(found, dict) and bool(found.get("data"))

    def remove(self, organization: str, role: str, secret_id: str) -> None:
        """Makes the role take it no more. Idempotent."""
        if self.has(organization, role, secret_id):
            self._post(organization, role, "secret-id/destroy", secret_id)

    def lives(self, organization: str, role: str) -> timedelta | None:
        """Returns how long a secret id lives; None = until it is removed, or it may not be read."""
        url = f"auth/{mount(organization)}/role/{role}/secret-id-ttl"
        try:
            found = self._session.ask(
                f"AppRole {role} of {organization}", lambda client: client.read(url)
            )
        except NotFound:
            return None
        except Errored as error:
            if error.retryable:
                raise
            return None
        seconds = int(found["data"]["secret_id_ttl"]) if found else 0
        return timedelta(seconds=seconds) if seconds else None

    def audit_hash(self, secret_id: str) -> str:
        """Returns how the audit log shows a secret id; empty = this role may not ask that."""
        try:
            found = self._session.ask(
                "hash of the audit log",
                lambda client: client.adapter.post(
                    f"/v1/sys/audit-hash/{rights.AUDIT_DEVICE}", json={"input": secret_id}
                ),
            )
        except NotFound:
            return ""
        except Errored as error:
            if error.retryable:
                raise
            return ""
        return str(found["data"]["hash"])

    def sign_in(self, organization: str, role: str, secret_id: str) -> None:
        """Returns when one can sign in with it; the token is given back.

        Raises:
            Denied: One cannot.
        """
        login = mount(organization)

        def sign_in(client: hvac.Client) -> None:
            role_id = client.read(f"auth/{login}/role/{role}/role-id")["data"]["role_id"]
            client.auth.approle.login(
                role_id=role_id, secret_id=secret_id, use_token=False, mount_point=login
            )

        try:
            self._session.ask(f"AppRole {role} of {organization}", sign_in)
        except Conflict:
            raise Denied(f"AppRole {role} of {organization} refuses the secret id") from None

    def _post(self, organization: str, role: str, path: str, secret_id: str) -> Any:
        url = f"/v1/auth/{mount(organization)}/role/{role}/{path}"
        return self._session.ask(
            f"AppRole {role} of {organization}",
            lambda client: client.adapter.post(url, json={"secret_id": secret_id}),
        )

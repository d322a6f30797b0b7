"""Sets up organizations in Vault or OpenBao: an engine, policies and roles of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hvac

from clients.vault.session import VaultSession
from domain import ids
from domain.errors import NotFound
from domain.secrets import rights
from domain.secrets.places import mount

_TOKEN = "10m"  # noqa: S105 - a duration


class VaultTenants:
    """Makes the parts of organizations. Blocking. Errors are those of ``VaultSession.ask``."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def ensure_engines(self, organization: str) -> tuple[str, str]:
        """Mounts a KV v2 engine and an AppRole sign-in; returns both paths. Idempotent."""
        path = mount(organization)
        engines = self._ask(organization, lambda client: client.sys.list_mounted_secrets_engines())
        if f"{path}/" not in engines["data"]:
            self._ask(
                organization,
                lambda client: client.sys.enable_secrets_engine(
                    "kv",
                    path=path,
                    description=f"secrets of organization {organization}",
                    options={"version": "2"},
                ),
            )
        logins = self._ask(organization, lambda client: client.sys.list_auth_methods())
        if f"{path}/" not in logins["data"]:
            self._ask(
                organization,
                lambda client: client.sys.enable_auth_method("approle", path=path),
            )
        return path, f"auth/{path}"

    def ensure_policies(
        self, organization: str, places: Sequence[tuple[str, str]]
    ) -> tuple[str, ...]:
        """Writes the policies of an organization; returns their names. Idempotent."""
        made = rights.tenant_policies(organization, places)
        for name, rules in made.items():
            self._write(organization, f"sys/policies/acl/{name}", policy=rights.policy(rules))
        return tuple(sorted(made))

    def ensure_roles(
        self, organization: str, places: Sequence[tuple[str, str]]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Lets pods of each place sign in; returns the roles there are and those removed.

        A role takes the token of a service account in exactly one namespace, made for the audience
        ``openbao``, and gives ten minutes of reading what is of that place. Idempotent.
        """
        wanted = {}
        for project, environment in places:
            name = rights.place_name(organization, project, environment)
            wanted[name] = ids.namespace(organization, project, environment)
        for name, namespace in wanted.items():
            self._write(
                organization,
                f"auth/jwt/role/{name}",
                role_type="jwt",
                bound_audiences=[rights.AUDIENCE],
                user_claim="sub",
                bound_claims={"/kubernetes.io/namespace": namespace},
                token_policies=[name],
                token_no_default_policy=True,
                token_ttl=_TOKEN,
                token_max_ttl=_TOKEN,
            )
        try:
            answer = self._ask(organization, lambda client: client.list("auth/jwt/role"))
        except NotFound:
            answer = None
        there = answer["data"]["keys"] if answer else []
        own = f"org-{organization}."
        gone = sorted(name for name in there if name.startswith(own) and name not in wanted)
        for name in gone:
            self._delete(organization, name)
        return tuple(sorted(wanted)), tuple(gone)

    def _delete(self, organization: str, role: str) -> None:
        self._ask(organization, lambda client: client.delete(f"auth/jwt/role/{role}"))

    def _write(self, organization: str, path: str, **body: Any) -> None:
        def write(client: hvac.Client) -> None:
            client.adapter.put(f"/v1/{path}", json=body)

        self._ask(organization, write)

    def _ask(self, organization: str, question: Any) -> Any:
        return self._session.ask(f"setup of {organization}", question)

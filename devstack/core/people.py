"""The people of the local stack: who they are, their groups, and tokens that prove both."""

import base64
import json
import secrets
from dataclasses import dataclass

import httpx

from devstack.core.bao import mount, read, write
from devstack.files import write_private
from devstack.state import StateDir


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in to the local stack."""

    user: str
    name: str
    group: str

    @property
    def email(self) -> str:
        """An address nobody can have."""
        return f"{self.user}@example.test"


PEOPLE = (
    Person("ada", "Ada", "platform-engineers"),
    Person("dev", "Dev", "developers"),
)
TOKEN_ROLE = "pavane"  # noqa: S105 - the name of a role
_POLICY = f'path "identity/oidc/token/{TOKEN_ROLE}" {{ capabilities = ["read"] }}'
_CLAIMS = """{
  "email": {{identity.entity.metadata.email}},
  "name": {{identity.entity.metadata.name}},
  "groups": {{identity.entity.groups.names}}
}"""


async def set_up(bao: httpx.AsyncClient, state: StateDir, *, client_id: str) -> None:
    """Makes the secret store, the people and what issues their tokens; safe to repeat."""
    await mount(bao, "mounts/secret", {"type": "kv", "options": {"version": "2"}})
    await mount(bao, "auth/userpass", {"type": "userpass"})
    await write(bao, "sys/policies/acl/pavane-person", {"policy": _POLICY})
    await write(
        bao,
        f"identity/oidc/key/{TOKEN_ROLE}",
        {
            "algorithm": "ES256",
            "allowed_client_ids": [client_id],
            "rotation_period": "720h",
            "verification_ttl": "720h",
        },
    )
    await write(
        bao,
        f"identity/oidc/role/{TOKEN_ROLE}",
        {
            "key": TOKEN_ROLE,
            "client_id": client_id,
            "ttl": "12h",
            "template": base64.b64encode(_CLAIMS.encode()).decode(),
        },
    )
    await _people(bao, passwords(state))


def passwords(state: StateDir) -> dict[str, str]:
    """The password of each person, made on first use and readable by the owner alone."""
    file = state.secrets / "people.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    if missing := [person.user for person in PEOPLE if person.user not in known]:
        known |= {user: secrets.token_urlsafe(18) for user in missing}
        write_private(file, json.dumps(known))
    return known


async def _people(bao: httpx.AsyncClient, known: dict[str, str]) -> None:
    mounts = await read(bao, "sys/auth")
    accessor = mounts["userpass/"]["accessor"]
    members: dict[str, list[object]] = {}
    for person in PEOPLE:
        await write(
            bao,
            f"auth/userpass/users/{person.user}",
            {"password": known[person.user], "token_policies": ["pavane-person"]},
        )
        entity_path = f"identity/entity/name/{person.user}"
        await write(bao, entity_path, {"metadata": {"email": person.email, "name": person.name}})
        entity = (await read(bao, entity_path))["id"]
        await write(
            bao,
            "identity/entity-alias",
            {"name": person.user, "canonical_id": entity, "mount_accessor": accessor},
        )
        members.setdefault(person.group, []).append(entity)
    for group, entities in members.items():
        await write(
            bao,
            f"identity/group/name/{group}",
            {"type": "internal", "member_entity_ids": entities},
        )

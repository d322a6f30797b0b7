"""The people of the local stack: who they are, their groups, and tokens that prove both."""

import base64
import json
import secrets
from dataclasses import dataclass

import httpx

from devstack.errors import DevstackError
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
    await _mount(bao, "mounts/secret", {"type": "kv", "options": {"version": "2"}})
    await _mount(bao, "auth/userpass", {"type": "userpass"})
    await _write(bao, "sys/policies/acl/pavane-person", {"policy": _POLICY})
    await _write(
        bao,
        f"identity/oidc/key/{TOKEN_ROLE}",
        {
            "algorithm": "ES256",
            "allowed_client_ids": [client_id],
            "rotation_period": "720h",
            "verification_ttl": "720h",
        },
    )
    await _write(
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
    mounts = await _read(bao, "sys/auth")
    accessor = mounts["userpass/"]["accessor"]
    members: dict[str, list[object]] = {}
    for person in PEOPLE:
        await _write(
            bao,
            f"auth/userpass/users/{person.user}",
            {"password": known[person.user], "token_policies": ["pavane-person"]},
        )
        entity_path = f"identity/entity/name/{person.user}"
        await _write(bao, entity_path, {"metadata": {"email": person.email, "name": person.name}})
        entity = (await _read(bao, entity_path))["id"]
        await _write(
            bao,
            "identity/entity-alias",
            {"name": person.user, "canonical_id": entity, "mount_accessor": accessor},
        )
        members.setdefault(person.group, []).append(entity)
    for group, entities in members.items():
        await _write(
            bao,
            f"identity/group/name/{group}",
            {"type": "internal", "member_entity_ids": entities},
        )


async def _mount(bao: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    kind, _, name = path.partition("/")
    mounted = await _read(bao, f"sys/{kind}")
    if f"{name}/" not in mounted:
        await _write(bao, f"sys/{path}", body)


async def _read(bao: httpx.AsyncClient, path: str) -> dict[str, dict[str, str]]:
    answer = await bao.get(path)
    _check(answer, path)
    data: dict[str, dict[str, str]] = answer.json()["data"]
    return data


async def _write(bao: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    _check(await bao.post(path, json=body), path)


def _check(answer: httpx.Response, path: str) -> None:
    """Raises without the request's body in the message, for it may hold a password."""
    if answer.is_error:
        message = f"OpenBao refuses {path}: {answer.status_code} {answer.text[:200]}"
        raise DevstackError(message)

"""Users of an OCI registry that asks for names and passwords: whether it takes one, and hashes."""

from __future__ import annotations

from http import HTTPStatus

import bcrypt
import httpx

from domain.errors import DependencyUnavailable, Errored

_ROUNDS = 5
"""Few: what is hashed are 256 random bits, which no speed can guess, and each pull pays for it."""
_TIMEOUT = httpx.Timeout(15, connect=5)
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


async def takes(url: str, user: str, password: str) -> bool:
    """Tells whether the registry lets somebody in.

    Raises:
        DependencyUnavailable: It does not answer.
        Errored: It answers as no registry does.
    """
    async with httpx.AsyncClient(timeout=_TIMEOUT, auth=(user, password)) as http:
        try:
            answer = await http.get(f"{url.rstrip('/')}/v2/")
        except httpx.HTTPError as error:
            raise DependencyUnavailable(
                f"no answer from the registry {url}: {type(error).__name__}"
            ) from None
    if answer.is_success:
        return True
    if answer.status_code in _REFUSALS:
        return False
    if answer.is_server_error:
        raise DependencyUnavailable(f"the registry {url} answered {answer.status_code}")
    raise Errored(f"the registry {url} answered {answer.status_code}: is that its address?")


def hashed(password: str) -> str:
    """Returns the hash of a password, as a registry's htpasswd file has it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()


def is_hash_of(known: str, password: str) -> bool:
    """Tells whether a hash is that of a password; one that is no bcrypt hash is of none."""
    try:
        return bcrypt.checkpw(password.encode(), known.encode())
    except ValueError:
        return False

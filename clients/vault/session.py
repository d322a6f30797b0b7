"""One role's access to Vault or OpenBao: short tokens, and errors that tell no secret."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import hvac
import requests
from hvac import exceptions

from domain.errors import (
    Conflict,
    DependencyUnavailable,
    Errored,
    NotFound,
    RateLimited,
    StaleRevision,
)

_SECONDS = 10
_TOO_MANY = 429
_CAS = "check-and-set"
Result = TypeVar("Result")


class VaultSession:
    """Signs in as one AppRole and asks. Blocking: call it from threads; several may at once."""

    def __init__(self, address: str, role_id: str, secret_id_file: Path) -> None:
        """Connects to nothing yet: the first question signs in."""
        self._address = address
        self._role_id = role_id
        self._secret_id_file = secret_id_file
        self._token = ""
        self._one = threading.Lock()
        self._clients = threading.local()

    def ask(self, what: str, question: Callable[[hvac.Client], Result]) -> Result:
        """Returns the answer; signs in first, and again when the token has ended.

        What a foreign error says is dropped: it may hold what was sent.

        Args:
            what: Subject and place for messages; no value.
            question: Asks with the client it is given.

        Raises:
            DependencyUnavailable: There is no answer, or the server is sealed.
            RateLimited: It asks to come back later.
            NotFound: There is nothing.
            StaleRevision: It was changed since it was read.
            Conflict: The server refuses it as it is; the message says only that.
            Errored: This role has no right to it.
        """
        try:
            try:
                return question(self._client(self._token or self._signed_in("")))
            except exceptions.Forbidden:
                return question(self._client(self._signed_in(self._token)))
        except exceptions.InvalidPath:
            raise NotFound(f"{what}: there is none") from None
        except exceptions.InvalidRequest as error:
            if any(_CAS in str(one) for one in error.errors or ()):
                raise StaleRevision(f"{what}: it was changed meanwhile") from None
            raise Conflict(f"{what}: OpenBao refuses it as it is") from None
        except (exceptions.Forbidden, exceptions.Unauthorized):
            raise Errored(
                f"{what}: refused to role {self._role_id}: its policy must allow it, and its "
                f"secret id must be the one in {self._secret_id_file.name}"
            ) from None
        except exceptions.RateLimitExceeded:
            raise RateLimited(f"{what}: OpenBao asks to come back later") from None
        except (exceptions.VaultError, requests.RequestException) as error:
            raise DependencyUnavailable(
                f"{what}: OpenBao does not answer ({type(error).__name__})"
            ) from None

    def _client(self, token: str) -> hvac.Client:
        """A client of this thread: a session of requests is not made for several."""
        client: hvac.Client | None = getattr(self._clients, "client", None)
        if client is None:
            client = self._clients.client = hvac.Client(
                url=self._address, token=token, timeout=_SECONDS
            )
        client.token = token
        return client

    def _signed_in(self, ended: str) -> str:
        """Returns a token that is not ``ended``; of several threads one signs in."""
        with self._one:
            if self._token == ended:
                try:
                    secret = self._secret_id_file.read_text().strip()
                except OSError as error:
                    raise DependencyUnavailable(
                        "the secret id for OpenBao cannot be read: "
                        f"{self._secret_id_file.name}: {error.strerror}"
                    ) from None
                client = hvac.Client(url=self._address, token="", timeout=_SECONDS)
                try:
                    answer = client.auth.approle.login(role_id=self._role_id, secret_id=secret)
                except exceptions.InvalidRequest:
                    raise exceptions.Forbidden from None
                self._token = str(answer["auth"]["client_token"])
            return self._token

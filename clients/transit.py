"""Signatures by a key of OpenBao's transit engine. The private key never leaves it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import hvac
import requests
from hvac import exceptions

from domain.errors import DependencyUnavailable, Errored

_SECONDS = 10
Result = TypeVar("Result")


@dataclass(frozen=True)
class TransitSignature:
    """A signature and what it can be proven by."""

    key: str
    """Name and version, ``pavane-audit:1``."""
    public_key: str
    """PEM."""
    signature: str
    """Base64 of an ECDSA signature in DER."""


class Signer(Protocol):
    """Signs with a key it alone has."""

    def sign(self, content: bytes) -> TransitSignature:
        """Returns a signature under the content."""
        ...


class TransitSigner:
    """Signs with one key. Blocking: call it from a thread; several threads may."""

    def __init__(
        self, address: str, role_id: str, secret_id_file: Path, *, key: str, mount: str = "transit"
    ) -> None:
        """Connects to nothing yet: the first signature signs in."""
        self._client = hvac.Client(url=address, token="", timeout=_SECONDS)
        self._role_id = role_id
        self._secret_id_file = secret_id_file
        self._key = key
        self._mount = mount
        self._public: dict[str, str] = {}
        self._one = threading.Lock()

    def sign(self, content: bytes) -> TransitSignature:
        """Signs with the newest version of the key.

        Raises:
            DependencyUnavailable: OpenBao does not answer or is sealed, or there is no such key.
            Errored: It refuses this worker.
        """
        with self._one:
            text = base64.b64encode(content).decode()
            answer = self._asked(lambda: self._sign(text))
            _, version, signature = str(answer["signature"]).split(":")
            number = version.removeprefix("v")
            if number not in self._public:
                self._public = _public_keys(self._asked(self._read))
            return TransitSignature(f"{self._key}:{number}", self._public[number], signature)

    def _sign(self, text: str) -> Mapping[str, Any]:
        answer = self._client.secrets.transit.sign_data(
            name=self._key,
            hash_input=text,
            hash_algorithm="sha2-256",
            marshaling_algorithm="asn1",
            mount_point=self._mount,
        )
        data: Mapping[str, Any] = answer["data"]
        return data

    def _read(self) -> Mapping[str, Any]:
        answer = self._client.secrets.transit.read_key(name=self._key, mount_point=self._mount)
        data: Mapping[str, Any] = answer["data"]
        return data

    def _asked(self, ask: Callable[[], Result]) -> Result:
        """Asks; signs in first when there is no token, and again when the token has ended."""
        what = f"OpenBao, key {self._key}"
        try:
            if self._client.token:
                try:
                    return ask()
                except exceptions.Forbidden:
                    self._client.token = ""
            self._sign_in()
            return ask()
        except (exceptions.Forbidden, exceptions.Unauthorized, exceptions.InvalidRequest) as error:
            raise Errored(
                f"{what}: refused to role {self._role_id}. Its policy must let it sign with the "
                f"key and read it, and its secret id must be the one in "
                f"{self._secret_id_file.name}"
            ) from error
        except (exceptions.VaultError, requests.RequestException) as error:
            raise DependencyUnavailable(f"{what}: {type(error).__name__}") from error

    def _sign_in(self) -> None:
        try:
            secret = self._secret_id_file.read_text().strip()
        except OSError as error:
            raise DependencyUnavailable(
                f"the secret id for OpenBao cannot be read: {self._secret_id_file.name}: "
                f"{error.strerror}"
            ) from None
        self._client.auth.approle.login(role_id=self._role_id, secret_id=secret)


def _public_keys(data: Mapping[str, Any]) -> dict[str, str]:
    return {number: str(each["public_key"]) for number, each in data["keys"].items()}

"""Encrypts what Temporal keeps: AES-256-GCM, each payload with the id of its key beside it.

Keys lie in a folder, one file ``ID.key`` each, of 32 bytes in base64. New payloads are encrypted
with the active one, all others are there to read what was written before: a key may go when the
last history that was written with it has.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from domain.errors import Errored, InvalidRequest

ENCODING = b"binary/encrypted"
_KEY_ID = "encryption-key-id"
_NONCE_BYTES, _KEY_BYTES = 12, 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class Keyring:
    """The keys of a folder. A key that is not known yet is looked for when it is needed."""

    def __init__(self, folder: Path, active: str) -> None:
        """Reads the active key.

        Raises:
            InvalidRequest: It is not there, or is no key; says which file.
        """
        self._folder = folder
        self._known: dict[str, AESGCM] = {}
        self.active = active
        """Id of the key that new payloads are encrypted with."""
        self.of(active)

    def of(self, key_id: str) -> AESGCM:
        """Returns a key.

        Raises:
            InvalidRequest: It is not there, or is no key.
        """
        if key_id not in self._known:
            self._known[key_id] = AESGCM(self._read(key_id))
        return self._known[key_id]

    def _read(self, key_id: str) -> bytes:
        if not _ID.fullmatch(key_id):
            raise InvalidRequest("the id of a payload key has letters, digits, - and _ only")
        file = self._folder / f"{key_id}.key"
        try:
            key = base64.b64decode(file.read_bytes().strip(), validate=True)
        except (OSError, binascii.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not base64"
            raise InvalidRequest(f"payload key {file.name} cannot be read: {reason}") from None
        if len(key) != _KEY_BYTES:
            raise InvalidRequest(f"payload key {file.name} has {len(key)} bytes, not {_KEY_BYTES}")
        return key


class EncryptionCodec(PayloadCodec):
    """Encrypts whole payloads. What is not encrypted is read as it is, so it can be turned on."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypts each with the active key."""
        return [self._encrypted(one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypts those that are encrypted.

        Raises:
            Errored: A key is missing, or a payload is not what was written.
        """
        return [self._decrypted(one) for one in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        key_id, nonce = self._keys.active, os.urandom(_NONCE_BYTES)
        name = key_id.encode()
        data = self._keys.of(key_id).encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, _KEY_ID: name}, data=nonce + data)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(_KEY_ID, b"")
        nonce, data = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            content = self._keys.of(name.decode("ascii", "replace")).decrypt(nonce, data, name)
        except InvalidRequest as missing:
            raise Errored(f"a payload cannot be decrypted: {missing.message}") from None
        except (InvalidTag, ValueError):
            raise Errored("a payload cannot be decrypted: it is not what was written") from None
        return Payload.FromString(content)


def codec_of(folder: Path | None, active: str) -> EncryptionCodec | None:
    """Returns the codec of the settings; None = payloads are not encrypted.

    Raises:
        InvalidRequest: The active key is not there, or is no key.
    """
    return EncryptionCodec(Keyring(folder, active)) if folder else None

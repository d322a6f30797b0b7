"""Signs as OpenBao's transit engine does, with a key of the test."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clients.transit import TransitSignature
from domain.records import ChainHead, HeadSignature, signed_text


class LocalSigner:
    """Has its key in memory; remembers what it signed."""

    def __init__(self, key: str = "pavane-audit:1") -> None:
        self.key = key
        self._private = ec.generate_private_key(ec.SECP256R1())
        public = self._private.public_key()
        self.pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.signed: list[bytes] = []

    def sign(self, content: bytes) -> TransitSignature:
        self.signed.append(content)
        made = self._private.sign(content, ec.ECDSA(SHA256()))
        return TransitSignature(self.key, self.pem, base64.b64encode(made).decode())

    def head(self, head: ChainHead) -> HeadSignature:
        made = self.sign(signed_text(head))
        return HeadSignature(
            **head.model_dump(),
            key=made.key,
            public_key=made.public_key,
            signature=made.signature,
            at=datetime(2026, 3, 1, 13, tzinfo=UTC),
        )

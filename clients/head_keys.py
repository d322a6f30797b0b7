"""The public keys by which signatures under audit chains are believed."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from domain.errors import DependencyUnavailable
from domain.records import HeadSignature, signed_text


class HeadKeys:
    """Judges signatures; without OpenBao, which need not be there."""

    def __init__(self, place: Path | None) -> None:
        """Reads a key, or all keys of a folder; None = each signature's own key is taken.

        Raises:
            DependencyUnavailable: A file holds no key, or there is none.
        """
        self.known = place is not None
        """Whether the keys are known here, and not only from beside the signatures."""
        self._trusted = frozenset() if place is None else _trusted(place)

    def refuted(self, signature: HeadSignature) -> str:
        """Returns why a signature proves nothing; empty = it stands."""
        try:
            key = _loaded(signature.public_key.encode())
        except ValueError:
            return f"its signature has no key that can be read ({signature.key})"
        if self.known and _identity(key) not in self._trusted:
            return f"it is signed by {signature.key}, which is none of the keys known here"
        try:
            made = base64.b64decode(signature.signature, validate=True)
            key.verify(made, signed_text(signature.head), ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error):
            return f"its signature is not that of {signature.key}"
        return ""


def _trusted(place: Path) -> frozenset[bytes]:
    files = sorted(place.glob("*.pem")) if place.is_dir() else [place]
    if not files:
        raise DependencyUnavailable(f"{place.name} has no *.pem file with a key of audit chains")
    found = set()
    for file in files:
        try:
            found.add(_identity(_loaded(file.read_bytes())))
        except OSError as error:
            raise DependencyUnavailable(
                f"the key of audit chains cannot be read: {file.name}: {error.strerror}"
            ) from None
        except ValueError:
            raise DependencyUnavailable(
                f"{file.name} holds no public key of audit chains (PEM, P-256)"
            ) from None
    return frozenset(found)


def _loaded(pem: bytes) -> EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("not an elliptic curve")  # noqa: TRY004 - the content is wrong, no type
    return key


def _identity(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

"""Reads from a value when it expires: a certificate and a JSON Web Token say so themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from cryptography.x509 import load_pem_x509_certificates

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_PARTS = 3


def expiry_of(values: Iterable[str]) -> datetime | None:
    """Returns the earliest moment at which one of them expires; None = none says so."""
    found = [moment for value in values if (moment := _expiry(value)) is not None]
    return min(found, default=None)


def _expiry(value: str) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError, OSError):
        if _CERTIFICATE in value:
            found = load_pem_x509_certificates(value.encode())
            return min(one.not_valid_after_utc for one in found)
        parts = value.strip().split(".")
        if len(parts) == _PARTS and parts[0].startswith("eyJ"):
            text = parts[1] + "=" * (-len(parts[1]) % 4)
            claims = json.loads(base64.urlsafe_b64decode(text))
            if isinstance(claims, dict) and "exp" in claims:
                return datetime.fromtimestamp(float(claims["exp"]), UTC)
    return None

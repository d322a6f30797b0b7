"""When people are told that a secret expires, and from what that is known."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from api.views.expiry import expiry_of
from domain.deliveries.expiry import ExpiringSecret
from domain.secrets import expiry

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def secret(days: float, path: str = "shop/smtp") -> ExpiringSecret:
    expires = NOW + timedelta(days=days)
    return ExpiringSecret(organization="acme", path=path, expires=expires, owner="mail")


@pytest.mark.parametrize(
    ("left", "stage"), [(31, None), (30, 30), (8, 30), (7, 7), (1.5, 7), (1, 1), (0, 0), (-9, 0)]
)
def test_people_are_told_earlier_and_again_as_the_day_comes(left: float, stage: int | None) -> None:
    assert expiry.stage(NOW + timedelta(days=left), NOW) == stage


def test_each_notice_is_due_once_and_anew_when_the_secret_was_given_another_day() -> None:
    days: list[int] = []
    told: list[object] = []
    at, known = NOW, [expiry.told(secret(-1, "shop/gone"), 0)]
    for _ in range(60):
        at += timedelta(hours=12)
        news, known = expiry.due([secret(20)], known, at)
        known = [expiry.told(one, stage) for one, stage in news] or known
        days += [stage for _, stage in news]
        told += news
    later, kept = expiry.due([secret(29.9)], known, NOW)

    assert days == [30, 7, 1, 0]
    assert [one.path for one in known] == ["shop/smtp"]
    assert [stage for _, stage in later] == [30]
    assert kept == []


def test_what_is_said_names_the_owner_and_the_days_that_are_left() -> None:
    assert expiry.said(secret(2.5), NOW) == "shop/smtp expires on 2026-11-29, in 3 days, owner mail"
    assert expiry.said(secret(-1), NOW) == "shop/smtp expired on 2026-11-26, owner mail"


def test_a_certificate_and_a_token_say_themselves_when_they_expire() -> None:
    key, until = ec.generate_private_key(ec.SECP256R1()), NOW + timedelta(days=9)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, until)
    certificate = builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    claims = base64.urlsafe_b64encode(json.dumps({"exp": NOW.timestamp()}).encode()).decode()
    token = f"eyJhbGciOiJub25lIn0.{claims.rstrip('=')}.c2ln"

    assert expiry_of(["plain", certificate]) == until
    assert expiry_of([certificate, token]) == NOW
    assert expiry_of(["plain", "a.b.c", "eyJ.x.y", "-----BEGIN CERTIFICATE-----"]) is None

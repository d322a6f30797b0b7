"""What certificates say, and who takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from clients import certificates
from domain.errors import Denied, InvalidRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
DAY = timedelta(days=1)
PEM = serialization.Encoding.PEM


class Authority:
    """Signs what it is asked to."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(self._name, self._key.public_key(), is_authority=True)
        self.certificate = made.public_bytes(PEM).decode()
        self.serial = made.serial_number

    def sign(self, request: str) -> str:
        asked = x509.load_pem_x509_csr(request.encode())
        made = self._signed(asked.subject, asked.public_key(), is_authority=False)
        return made.public_bytes(PEM).decode()

    def _signed(
        self, subject: x509.Name, key: CertificatePublicKeyTypes, *, is_authority: bool
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY * (10 if is_authority else 2))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


OLD, NEW = Authority("old"), Authority("new")
KEY, ASKED = certificates.request("web.shop", ("web", "10.0.0.1"))
LEAF = OLD.sign(ASKED)


def test_a_request_asks_for_all_names_and_addresses_once() -> None:
    _, asked = certificates.request("web.shop", ("web.shop", "web", "10.0.0.1"))

    found = x509.load_pem_x509_csr(asked.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert found.value.get_values_for_type(x509.DNSName) == ["web.shop", "web"]
    assert [str(one) for one in found.value.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]


@pytest.mark.parametrize("bundle", [OLD.certificate, OLD.certificate + NEW.certificate])
def test_who_trusts_the_issuer_takes_the_certificate(bundle: str) -> None:
    certificates.check(LEAF, KEY, bundle, "web.crt", NOW)


@pytest.mark.parametrize(
    ("bundle", "key", "at", "says"),
    [
        (NEW.certificate, KEY, NOW, "does not take it"),
        (OLD.certificate, KEY, NOW + DAY * 3, "does not take it"),
        (OLD.certificate, certificates.request("x", ())[0], NOW, "belongs to another"),
    ],
)
def test_who_does_not_take_it_is_told_with_the_reason(
    bundle: str, key: str, at: datetime, says: str
) -> None:
    with pytest.raises(Denied, match=says):
        certificates.check(LEAF, key, bundle, "web.crt", at)


@pytest.mark.parametrize(("leaf", "key"), [("nothing", KEY), (LEAF, "nothing")])
def test_what_is_no_certificate_or_no_key_is_told_without_quoting_it(leaf: str, key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        certificates.check(leaf, key, OLD.certificate, "web.crt", NOW)

    assert "nothing" not in str(refused.value)


def test_a_bundle_has_each_issuer_once_in_the_order_in_which_they_came() -> None:
    both = certificates.joined(OLD.certificate, OLD.certificate + NEW.certificate, what="ca.crt")

    assert certificates.serials(both, "ca.crt") == (OLD.serial, NEW.serial)
    assert certificates.issuer_of(LEAF, both, "web.crt") == OLD.serial
    assert certificates.only(both, NEW.serial, "ca.crt") == NEW.certificate
    assert certificates.ends(LEAF + both, "all") == NOW + DAY * 2


def test_a_certificate_without_a_common_name_tells_its_names_and_its_life() -> None:
    wanted = ("*.shop.acme.dev.example.org", "rpc.web.shop.acme.dev.example.org")
    _, asked = certificates.request("", wanted)
    request = x509.load_pem_x509_csr(asked.encode())
    made = OLD.sign(asked)

    assert request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME) == []
    found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert tuple(found.value.get_values_for_type(x509.DNSName)) == wanted
    assert certificates.life(made, "it") == (NOW - DAY, NOW + 2 * DAY)
    assert certificates.names(made, "it") == ()

"""X.509 certificates: requests for them, what they say, and who would take them. PEM throughout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from domain.errors import Denied, InvalidRequest

_PEM = serialization.Encoding.PEM


def request(common_name: str, alt_names: Sequence[str]) -> tuple[str, str]:
    """Makes a private key, and the request for a certificate of it; returns both.

    An empty ``common_name`` leaves it out: it has no more than 64 characters, other names have.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    given = (common_name,) if common_name else ()
    subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, one) for one in given]
    names = [_general_name(one) for one in dict.fromkeys((*given, *alt_names))]
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(subject))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(_PEM).decode()


def check(certificate: str, private_key: str, bundle: str, what: str, at: datetime) -> None:
    """Returns when whoever trusts the bundle takes the certificate, and the key belongs to it.

    Raises:
        Denied: They do not; says why.
        InvalidRequest: One of them is not what it should be.
    """
    leaf, *between = _certificates(certificate, what)
    try:
        key = serialization.load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError):
        raise InvalidRequest(f"{what}: its private key is none, or is encrypted") from None
    if key.public_key() != leaf.public_key():
        raise Denied(f"{what}: the private key belongs to another certificate")
    anyhow = verification.ExtensionPolicy.permit_all()
    issuing = anyhow.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(_certificates(bundle, f"what trusts {what}")))
        .extension_policies(ca_policy=issuing, ee_policy=anyhow)
        .time(at)
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, between)
    except verification.VerificationError as error:
        raise Denied(f"{what}: who trusts `ca.crt` does not take it: {error}") from None


def ends(certificate: str, what: str) -> datetime:
    """Returns the earliest end of the certificates in it."""
    return min(one.not_valid_after_utc for one in _certificates(certificate, what)).astimezone(UTC)


def life(certificate: str, what: str) -> tuple[datetime, datetime]:
    """Returns when the first certificate in it begins to be good, and when it ends."""
    leaf = _certificates(certificate, what)[0]
    return leaf.not_valid_before_utc, leaf.not_valid_after_utc


def names(certificate: str, what: str) -> tuple[str, ...]:
    """Returns the DNS names that the first certificate in it is for."""
    leaf = _certificates(certificate, what)[0]
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName))


def serials(bundle: str, what: str) -> tuple[int, ...]:
    """Returns the serial numbers of the certificates of a bundle, in its order."""
    return tuple(one.serial_number for one in _certificates(bundle, what))


def issuer_of(certificate: str, bundle: str, what: str) -> int:
    """Returns the serial number of the one of a bundle that issued a certificate; 0 = none did."""
    leaf = _certificates(certificate, what)[0]
    for one in _certificates(bundle, f"what trusts {what}"):
        try:
            leaf.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return one.serial_number
    return 0


def joined(*bundles: str, what: str) -> str:
    """Returns one bundle of several: each certificate once, in their order."""
    found = [one for bundle in bundles for one in _certificates(bundle, what)]
    return "".join(one.public_bytes(_PEM).decode() for one in dict.fromkeys(found))


def only(bundle: str, serial: int, what: str) -> str:
    """Returns the part of a bundle that has this serial number."""
    found = [one for one in _certificates(bundle, what) if one.serial_number == serial]
    return "".join(one.public_bytes(_PEM).decode() for one in found)


def _certificates(text: str, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise InvalidRequest(f"{what}: it is no certificate in PEM") from None


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)

"""Makes certificate authorities and certificates; elliptic-curve keys, so it takes milliseconds."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Request:
    """What a certificate must say."""

    common_name: str
    organizations: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """IP addresses of the server; empty for a client."""
    names: tuple[str, ...] = ()
    """DNS names of the server; empty for a client."""


def make_key() -> bytes:
    """A new P-256 private key as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_half(key: bytes) -> bytes:
    """The public key of a private key, as PEM."""
    return (
        _load(key)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def make_authority(name: str, key: bytes) -> bytes:
    """A self-signed certificate of an authority, as PEM."""
    private = _load(key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, subject, private.public_key(), AUTHORITY_LIFETIME)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(
        _key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True), critical=True
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_certificate(request: Request, key: bytes, authority: bytes, authority_key: bytes) -> bytes:
    """A certificate for clients and servers alike, signed by the authority, as PEM."""
    issuer = x509.load_pem_x509_certificate(authority)
    signer = _load(authority_key)
    attributes = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)
        for organization in request.organizations
    ]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, request.common_name))
    builder = _builder(x509.Name(attributes), issuer.subject, _load(key).public_key(), LIFETIME)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
        critical=False,
    )
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    alternatives = list(_alternatives(request))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def end_of(certificate: bytes) -> datetime:
    """The last moment a certificate is valid."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def _alternatives(request: Request) -> Iterable[x509.GeneralName]:
    for name in request.names:
        yield x509.DNSName(name)
    for address in request.addresses:
        yield x509.IPAddress(ipaddress.ip_address(address))


def _load(key: bytes) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(key, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        message = "the key is not an elliptic-curve key"
        raise TypeError(message)
    return private


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )

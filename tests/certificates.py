"""Certificates that tests make for themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class CertificateFiles:
    """A certificate of its own authority, as two PEM files."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "tls.crt"
        self.key = folder / "tls.key"

    def write(self, name: str, *, of_another_key: bool = False) -> None:
        """Writes both files anew, for an hour and a host name; broken where wished."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        ).sign(key, hashes.SHA256())
        kept = ec.generate_private_key(ec.SECP256R1()) if of_another_key else key
        form = serialization.PrivateFormat.PKCS8
        self.key.write_bytes(
            kept.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

"""What a platform engineer does so that OpenBao signs for the gateway of an organization."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hvac
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clients.vault.issuers import GATEWAY_ROLE
from devstack.core.openbao import root_token
from devstack.state import StateDir


async def sign_for_gateway(
    environment: Mapping[str, str], organization: str, domain: str, *, ttl: str = "48h"
) -> str:
    """Mounts the engine, makes an issuer and the role; returns the certificate to trust."""
    state = StateDir(Path(environment["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
    bao = hvac.Client(environment["PAVANE_VAULT__ADDRESS"], root_token(state))
    mount = f"pki/{organization}"

    def make() -> str:
        bao.sys.enable_secrets_engine("pki", path=mount, config={"max_lease_ttl": "720h"})
        about = {"common_name": f"{organization} gateway", "key_type": "ec", "ttl": "720h"}
        first = bao.adapter.post(f"/v1/{mount}/root/generate/internal", json=about)["data"]
        rules = {
            "allowed_domains": domain,
            "allow_subdomains": True,
            "require_cn": False,
            "key_type": "ec",
            "ttl": ttl,
            "max_ttl": ttl,
        }
        bao.adapter.post(f"/v1/{mount}/roles/{GATEWAY_ROLE}", json=rules)
        return str(first["certificate"])

    return await asyncio.to_thread(make)


def ending(names: Iterable[str]) -> dict[str, str]:
    """A certificate of nobody's, for these names, of which one hour of a day is left."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    nobody = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    alt_names = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    made = (
        x509.CertificateBuilder()
        .subject_name(nobody)
        .issuer_name(nobody)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=23))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(alt_names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    parts = {
        "tls.crt": made.public_bytes(pem),
        "tls.key": key.private_bytes(pem, form, serialization.NoEncryption()),
    }
    return {name: base64.b64encode(part).decode() for name, part in parts.items()}

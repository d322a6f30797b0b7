"""The certificates of one stack, kept between runs and renewed before they end."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devstack import certificates
from devstack.certificates import Request
from devstack.files import write_atomically, write_private

RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, its private key, and the authority that signed it."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its public half."""

    private: Path
    public: Path


class Pki:
    """Issues what a stack needs from authorities of its own; asking again gives the same files."""

    def __init__(self, folder: Path) -> None:
        """Keeps everything in `folder`, which only its owner may enter."""
        self._folder = folder

    @property
    def authority(self) -> Path:
        """The certificate of the main authority."""
        return self.named_authority("stack").certificate

    @property
    def authority_key(self) -> Path:
        """The private key of the main authority."""
        return self.named_authority("stack").key

    def named_authority(self, name: str) -> Certificate:
        """The authority of that name, made on first use and renewed near its end."""
        certificate, key = self._folder / f"{name}-ca.crt", self._folder / f"{name}-ca.key"
        if not (certificate.exists() and key.exists() and _lasts(certificate)):
            private = certificates.make_key()
            write_private(key, private)
            write_atomically(certificate, certificates.make_authority(f"pavane {name}", private))
        return Certificate(certificate, key, certificate)

    def issue(self, name: str, request: Request, *, authority: str = "stack") -> Certificate:
        """A certificate that says what is requested.

        Idempotent: the files are made anew only when the request or the authority changed, or the
        end is nearer than 30 days.
        """
        signer = self.named_authority(authority)
        issued = Certificate(
            self._folder / f"{name}.crt", self._folder / f"{name}.key", signer.certificate
        )
        stamp = self._folder / f"{name}.request"
        wanted = _fingerprint(request, signer.certificate.read_bytes())
        if stamp.exists() and stamp.read_text() == wanted and _lasts(issued.certificate):
            return issued
        private = certificates.make_key()
        signed = certificates.make_certificate(
            request, private, signer.certificate.read_bytes(), signer.key.read_bytes()
        )
        stamp.unlink(missing_ok=True)
        write_private(issued.key, private)
        write_atomically(issued.certificate, signed)
        write_atomically(stamp, wanted)
        return issued

    def signing_key(self, name: str) -> SigningKey:
        """A key pair for signing tokens; never renewed, for that would end every token."""
        pair = SigningKey(self._folder / f"{name}.key", self._folder / f"{name}.pub")
        if not (pair.private.exists() and pair.public.exists()):
            private = certificates.make_key()
            write_private(pair.private, private)
            write_atomically(pair.public, certificates.public_half(private))
        return pair


def write_kubeconfig(path: Path, server: str, client: Certificate, *, name: str = "pavane") -> None:
    """Writes a private kubeconfig with everything embedded, for one server and one client."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(client.authority),
                },
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _base64(client.certificate),
                    "client-key-data": _base64(client.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    write_private(path, json.dumps(config, indent=2))


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _lasts(certificate: Path) -> bool:
    if not certificate.exists():
        return False
    return certificates.end_of(certificate.read_bytes()) - datetime.now(UTC) > RENEW_BEFORE


def _fingerprint(request: Request, authority: bytes) -> str:
    wanted = json.dumps(asdict(request), sort_keys=True).encode()
    return hashlib.sha256(wanted + authority).hexdigest()

"""Makes the key pair by which the API vouches for who decided, once. Safe to repeat.

The private half goes to a volume that only `api` mounts, the public half to one for `worker`.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

SIGNING = Path(os.environ.get("SIGNING", "/keys/signing")) / "approvals.pem"
VERIFYING = Path(os.environ.get("VERIFYING", "/keys/verifying")) / "approvals.pub"
OWNER = int(os.environ.get("OWNER", "10001"))


def main() -> None:
    """Makes what is missing; a public key is always that of the private one."""
    if not SIGNING.exists():
        made = Ed25519PrivateKey.generate()
        content = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(SIGNING, content, 0o400)
    key = load_pem_private_key(SIGNING.read_bytes(), password=None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(VERIFYING, public, 0o444)


def _write(path: Path, content: bytes, mode: int) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    os.chown(new, OWNER, OWNER)
    new.rename(path)


main()

"""Two ends of a TLS connection that ask for each other's certificate, over nothing but memory."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path

BUNDLE = "ca.crt"


def context(held: Mapping[str, str], name: str, *, server: bool) -> ssl.SSLContext:
    """How a service that holds this shows itself, and whom it lets in."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=held[BUNDLE])
    with tempfile.NamedTemporaryFile("w") as file:  # OpenSSL reads keys from files alone
        Path(file.name).write_text(held[f"{name}.crt"] + "\n" + held[f"{name}.key"])
        made.load_cert_chain(file.name)
    return made


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str:
    """Has both shake hands; returns why they do not, empty when they do."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    ]
    try:
        for _ in range(10):
            for end in list(ends):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                ends.remove(end)
            if not ends:
                return ""
    except ssl.SSLError as error:
        return error.reason or "refused"
    return "no end of the handshake"

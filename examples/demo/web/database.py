"""A session with PostgreSQL, as small as a demo needs it; take a driver for anything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import struct
import threading
from collections.abc import Mapping

_PROTOCOL = 196608
_SASL, _CONTINUE = 10, 11
_SECONDS = 5


class Database:
    """Asks one question at a time, in one session that is kept."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._where = (environment["DATABASE_HOST"], int(environment["DATABASE_PORT"]))
        self._user = environment["DATABASE_USERNAME"]
        self._password = environment["DATABASE_PASSWORD"]
        self._one = threading.Lock()
        self._socket: socket.socket | None = None

    def ask(self, statement: str) -> str:
        """Returns the first value of the first row; signs in anew when the session has ended."""
        with self._one:
            if self._socket is not None:
                try:
                    return self._asked(statement)
                except OSError:
                    self._socket.close()
            self._sign_in()
            return self._asked(statement)

    def _asked(self, statement: str) -> str:
        self._send(b"Q", statement.encode() + b"\0")
        found = ""
        while True:
            kind, body = self._receive()
            if kind == b"D":
                (length,) = struct.unpack("!i", body[2:6])
                found = body[6 : 6 + length].decode()
            if kind == b"Z":
                return found

    def _sign_in(self) -> None:
        self._socket = socket.create_connection(self._where, timeout=_SECONDS)
        about = f"user\0{self._user}\0database\0postgres\0application_name\0web\0\0".encode()
        self._send(b"", struct.pack("!i", _PROTOCOL) + about)
        nonce = base64.b64encode(secrets.token_bytes(18)).decode()
        first = f"n=,r={nonce}"
        while True:
            kind, body = self._receive()
            if kind == b"Z":
                return
            code = struct.unpack("!i", body[:4])[0] if kind == b"R" else 0
            if code == _SASL:
                start = f"n,,{first}".encode()
                self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(start)) + start)
            if code == _CONTINUE:
                self._send(b"p", self._proof(first, body[4:].decode()).encode())

    def _proof(self, first: str, server: str) -> str:
        """The password itself is never sent (RFC 5802)."""
        said = dict(part.split("=", 1) for part in server.split(","))
        salt = base64.b64decode(said["s"])
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), salt, int(said["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        last = f"c=biws,r={said['r']}"
        signed = hmac.digest(
            hashlib.sha256(key).digest(), f"{first},{server},{last}".encode(), "sha256"
        )
        proof = bytes(one ^ other for one, other in zip(key, signed, strict=True))
        return f"{last},p={base64.b64encode(proof).decode()}"

    def _send(self, kind: bytes, body: bytes) -> None:
        assert self._socket is not None
        self._socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _receive(self) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!ci", self._exactly(5))
        body = self._exactly(length - 4)
        if kind == b"E":
            raise ConnectionError(body.replace(b"\0", b" ").decode(errors="replace"))
        return kind, body

    def _exactly(self, number: int) -> bytes:
        assert self._socket is not None
        found = b""
        while len(found) < number:
            part = self._socket.recv(number - len(found))
            if not part:
                raise ConnectionError("the database has ended the session")
            found += part
        return found

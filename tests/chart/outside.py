"""What an installation finds outside of its cluster: an issuer of tokens, and ways to servers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer

from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "pavane"
LOOPBACK = "127.0.0.1"
_CHUNK = 65536


class Issuer:
    """An identity provider with one key, reached under one address by pods and people."""

    def __init__(self, host: str) -> None:
        self._key = ECKey.generate_key("P-256", parameters={"kid": "test", "use": "sig"})
        issuer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base
                pass

        self.server = ThreadingHTTPServer((host, 0), Answers)
        self.url = f"http://{host}:{self.server.server_address[1]}"

    def document(self, path: str) -> dict[str, object]:
        if path == "/keys":
            return {"keys": [self._key.as_dict(private=False)]}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def token(self, person: str, group: str) -> str:
        """A token of somebody of a group, for an hour."""
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": person,
            "email": f"{person}@example.test",
            "groups": [group],
            "exp": int(time.time()) + 3600,
        }
        return jwt.encode({"alg": "ES256", "kid": "test"}, claims, self._key)


@contextmanager
def issuer(host: str) -> Iterator[Issuer]:
    made = Issuer(host)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def forwarded(host: str, target: int, to: str = LOOPBACK) -> Iterator[int]:
    """Lets whoever reaches ``host`` reach a server somewhere else; yields the port."""

    class Forward(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((to, target)) as other:
                back = threading.Thread(target=_copy, args=(other, self.request), daemon=True)
                back.start()
                _copy(self.request, other)
                back.join()

    with _Server((host, 0), Forward) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

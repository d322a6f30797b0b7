"""A small HTTP service: /healthz for probes, everything else is greeted."""

from __future__ import annotations

import json
import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from database import Database
from greeting import greeting

DATABASE = Database(os.environ) if "DATABASE_PASSWORD" in os.environ else None


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Greets."""
        healthy = self.path == "/healthz"
        content = {"status": "ok"} if healthy else greeting(os.environ)
        if DATABASE and not healthy:
            content["database"] = f"signed in as {DATABASE.ask('SELECT current_user')}"
        body = json.dumps(content).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Leaves probes out of the log."""
        if "/healthz" not in str(args):
            super().log_message(format, *args)


def main() -> None:
    """Serves until it is told to stop."""
    server = ThreadingHTTPServer(("", 8080), Handler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("listening on 8080", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

"""What a component of a scenario runs, and of which class it is."""

from __future__ import annotations

from typing import Any

COMPONENT = "web"
TASK = "report"
_SERVER = """
import http.server, os, signal, sys, time
commit = os.environ.get("PAVANE_COMMIT", "")
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if commit.startswith("c"):
    sys.exit("crashed: a setting is missing")
while commit.startswith("d"):
    time.sleep(1)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(commit.encode())
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


def service_class(deadline: int) -> dict[str, Any]:
    return {
        "deploymentTemplate": {
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": deadline,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 7,
                    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
                    "containers": [
                        {
                            "name": "main",
                            "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
                            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                        }
                    ],
                }
            },
        }
    }


def workload() -> dict[str, Any]:
    return {
        "componentRef": COMPONENT,
        "containers": [
            {
                "name": "main",
                "command": ["python3", "-c", _SERVER],
                "readiness": {"path": "/", "periodSeconds": 1},
            }
        ],
        "endpoints": [{"name": "http", "port": 8080, "type": "HTTP", "visibility": "public"}],
    }


def task_class() -> dict[str, Any]:
    """A class of tasks that are tried once."""
    pod = {"securityContext": {"runAsUser": 10001, "runAsGroup": 10001}}
    return {"taskTemplate": {"backoffLimit": 0, "template": {"spec": pod}}}

"""Program: the Git server of a stack."""

import argparse
import logging
import sys
from pathlib import Path

import uvicorn

from devstack.gitserver.app import GitServer, Options


def main() -> int:
    """Serves until told to end."""
    parser = argparse.ArgumentParser(prog="python -m devstack.gitserver", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="repositories and deliveries")
    parser.add_argument("--secrets", type=Path, required=True, help="webhook secrets")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--api", required=True, help="address of the platform's API")
    given = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = Options(
        folder=given.folder,
        secrets=given.secrets,
        api=given.api,
        base=f"http://{given.host}:{given.port}",
        # Pods have addresses of their own; only this machine comes from the server's own.
        pushers=frozenset({given.host}),
    )
    app = GitServer(options).app()
    uvicorn.run(app, host=given.host, port=given.port, log_config=None, access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

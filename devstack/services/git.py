"""The Git server of the stack, at one address for the machine and for build pods."""

import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.node.names import NODE
from devstack.webhooks import webhook_folder

GIT = "git"
_SOURCES = Path(__file__).resolve().parents[2]


def parts(context: StackContext) -> Sequence[Part]:
    """The server; it tells the API of the stack about pushes, as soon as there is one."""
    folder = context.state.data / "git"
    return [
        Component(
            name=GIT,
            argv=(
                sys.executable,
                "-m",
                "devstack.gitserver",
                f"--folder={folder}",
                f"--secrets={webhook_folder(context.state)}",
                f"--host={context.network.host}",
                f"--port={context.ports[GIT]}",
                f"--api=http://127.0.0.1:{context.ports['api']}",
            ),
            cwd=_SOURCES,
            # Its address exists only together with the link to the node.
            needs=(NODE,),
            ready=HttpProbe(f"{git_url(context)}/healthz"),
        )
    ]


def git_url(context: StackContext) -> str:
    """The address below which repositories are ORGANIZATION/NAME.git."""
    return f"http://{context.network.host}:{context.ports[GIT]}"

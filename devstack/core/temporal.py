"""Temporal with its web UI, on disk."""

import json
from collections.abc import Mapping, Sequence

from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext

NAMESPACE = "default"
SEARCH_ATTRIBUTES = {
    "PavaneOrganization": "Keyword",
    "PavaneProject": "Keyword",
    "PavaneComponent": "Keyword",
    "PavaneEnvironment": "Keyword",
    "PavaneKind": "Keyword",
    "PavanePhase": "Keyword",
    "PavaneActor": "Keyword",
    "PavaneRelease": "Keyword",
    "PavaneApprovers": "KeywordList",
    "PavaneAwaiting": "Bool",
    "PavaneDeadline": "Datetime",
}
_LOOPBACK = "127.0.0.1"
_DURABLE = ("journal_mode=wal", "synchronous=2")
"""What is answered is on disk, by one write to a log instead of several around a journal: a start
takes a third of the time and two thirds of the CPU."""
PROMPT: Mapping[str, object] = {
    f"history.{queue}ProcessorMaxPollRPS": 1000 for queue in ("transfer", "timer", "visibility")
}
"""Every task goes by the queue of its shard, which is read 20 times a second unless told otherwise.
A server for development has one shard, so with more to do each step would wait its turn for up to
50 ms. Servers with many shards need it as well where one procedure has many steps."""
FAIR: Mapping[str, object] = {"matching.enableFairness": True}
"""Tasks of equal priority are taken in turns of their fairness keys, the organizations."""


def flags(settings: Mapping[str, object]) -> list[str]:
    """Returns dynamic settings as a server for development takes them."""
    return [f"--dynamic-config-value={key}={json.dumps(value)}" for key, value in settings.items()]


def parts(context: StackContext) -> Sequence[Part]:
    """The server; its UI and metrics listen beside it."""
    program = str(context.programs.path("temporal"))
    attributes = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    folder = context.state.data / "temporal"

    async def make_folder() -> None:
        folder.mkdir(parents=True, exist_ok=True)

    return [
        Component(
            name="temporal",
            argv=(
                program,
                "server",
                "start-dev",
                f"--ip={_LOOPBACK}",
                f"--port={context.ports['temporal']}",
                f"--http-port={context.ports['temporal-http']}",
                f"--ui-ip={_LOOPBACK}",
                f"--ui-port={context.ports['temporal-ui']}",
                f"--metrics-port={context.ports['temporal-metrics']}",
                f"--db-filename={folder / 'temporal.sqlite'}",
                *(f"--sqlite-pragma={one}" for one in _DURABLE),
                f"--namespace={NAMESPACE}",
                "--dynamic-config-value=frontend.WorkflowTimeSkippingEnabled=true",
                *flags({**PROMPT, **FAIR}),
                *attributes,
                "--log-level=warn",
            ),
            before_start=make_folder,
            ready=HttpProbe(
                f"http://{_LOOPBACK}:{context.ports['temporal-http']}/api/v1/namespaces/{NAMESPACE}"
            ),
        )
    ]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to Temporal."""
    return {
        "TEMPORAL_ADDRESS": f"{_LOOPBACK}:{context.ports['temporal']}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_UI_URL": f"http://{_LOOPBACK}:{context.ports['temporal-ui']}",
    }

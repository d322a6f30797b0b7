"""The OCI registry of the stack: one name for it, from the machine, from the node and from pods."""

import json
from collections.abc import Sequence

from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.images.names import REGISTRY, registry_host, registry_url
from devstack.node.names import NODE


def parts(context: StackContext) -> Sequence[Part]:
    """The registry; it speaks plain HTTP, on the link between machine and node alone."""
    config = context.state.config / "registry.yml"
    return [
        Component(
            name=REGISTRY,
            argv=(str(context.programs.path("docker-registry")), "serve", str(config)),
            # Its address exists only together with the link to the node.
            needs=(NODE,),
            env={"OTEL_TRACES_EXPORTER": "none"},
            ready=HttpProbe(f"{registry_url(context)}/v2/"),
            before_start=lambda: _configure(context),
        )
    ]


async def _configure(context: StackContext) -> None:
    folder = context.state.data / REGISTRY
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder)},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": True},
        },
        "http": {"addr": registry_host(context)},
    }
    # JSON is YAML too.
    write_atomically(context.state.config / "registry.yml", json.dumps(config, indent=2))

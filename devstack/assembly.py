"""Puts together what a profile needs to describe its parts."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.files import write_atomically
from devstack.network import NodeNetwork, choose_network, is_in_use
from devstack.pki import Pki
from devstack.ports import Ports
from devstack.state import StateDir

_PREFIX = "PAVANE_STACK_"
_PORT = f"{_PREFIX}PORT_"


@dataclass(frozen=True, slots=True)
class AcquiredPrograms:
    """The programs that `pavane stack up` acquired for this stack, as it wrote them down."""

    files: Mapping[str, Path]

    def path(self, name: str) -> Path:
        """The file of that name.

        Raises:
            DevstackError: the stack has none.
        """
        try:
            return self.files[name]
        except KeyError:
            message = f"{name} is not among the stack's programs; run `pavane stack build`"
            raise DevstackError(message) from None

    @classmethod
    def read(cls, state: StateDir) -> "AcquiredPrograms":
        """Reads what `write` wrote; empty when the stack was never up."""
        file = state.root / "programs.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        return cls({name: Path(path) for name, path in known.items()})

    def write(self, state: StateDir) -> None:
        """Writes down where the programs are, for the supervisor and for repair."""
        known = {name: str(path) for name, path in sorted(self.files.items())}
        write_atomically(state.root / "programs.json", json.dumps(known, indent=2))


def assemble(
    name: str,
    state: StateDir,
    profile: str,
    *,
    platform: bool,
    keep: Mapping[str, int] | None = None,
) -> StackContext:
    """The context of a stack: its ports, certificates, programs and addresses.

    Args:
        name: the name of the stack.
        state: its folder.
        profile: `core` or `full`.
        platform: whether Pavane's own processes are part of the stack.
        keep: ports on which the running stack itself listens; they are not asked for again.
    """
    state.create()
    settings = given_settings(os.environ)
    ports = Ports(state.root / "ports.json", fixed=given_ports(os.environ))
    ports.keep(keep or {})
    return StackContext(
        name=name,
        profile=profile,
        platform=platform,
        state=state,
        ports=ports,
        programs=AcquiredPrograms.read(state),
        pki=Pki(state.pki),
        network=_network(state),
        settings=settings,
    )


def given_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What PAVANE_STACK_* variables say, without the prefix, in lower case."""
    return {
        variable.removeprefix(_PREFIX).lower(): value
        for variable, value in environment.items()
        if variable.startswith(_PREFIX) and not variable.startswith(_PORT)
    }


def given_ports(environment: Mapping[str, str]) -> dict[str, int]:
    """What PAVANE_STACK_PORT_* variables say: PAVANE_STACK_PORT_TEMPORAL_UI is `temporal-ui`.

    Raises:
        DevstackError: a value is not a port.
    """
    ports = {}
    for variable, value in environment.items():
        if variable.startswith(_PORT):
            if not (value.isdecimal() and 0 < int(value) < 2**16):
                message = f"{variable}={value} is not a port"
                raise DevstackError(message)
            ports[variable.removeprefix(_PORT).lower().replace("_", "-")] = int(value)
    return ports


def _network(state: StateDir) -> NodeNetwork:
    """The network this stack had before, or one no stack has."""
    file = state.root / "network.json"
    if file.exists():
        return NodeNetwork(json.loads(file.read_text())["index"])
    network = choose_network(str(state.root), is_in_use)
    write_atomically(file, json.dumps({"index": network.index}))
    return network

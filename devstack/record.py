"""What a running stack says about itself, in `stack.json` and over the control socket."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from devstack.files import write_atomically
from devstack.processes import ProcessId, boot_id, is_alive


class PartPhase(StrEnum):
    """Where a part of the stack stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    HELD = "held"
    """Stopped because a person asked for this one part to be down."""
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part of the stack as it is now."""

    name: str
    kind: str
    """`component` or `step`."""
    phase: PartPhase = PartPhase.WAITING
    detail: str = ""
    """What it waits for, or why it failed."""
    process: ProcessId | None = None
    ready_after: float | None = None
    """Seconds from the start of this process or step until it was ready."""
    restarts: int = 0

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Reads what `asdict` wrote."""
        process = raw["process"]
        known = {**raw, "phase": PartPhase(raw["phase"])}
        known["process"] = None if process is None else ProcessId(**process)
        return cls(**known)


@dataclass(frozen=True, slots=True)
class StackRecord:
    """The stack as its supervisor last wrote it down."""

    name: str
    profile: str
    platform: bool
    boot: str
    supervisor: ProcessId
    parts: dict[str, PartStatus] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether every part is ready."""
        return all(part.phase is PartPhase.READY for part in self.parts.values())

    @property
    def is_alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.boot == boot_id() and is_alive(self.supervisor)

    @property
    def processes(self) -> list[ProcessId]:
        """The processes of the parts; without meaning after the machine booted again."""
        if self.boot != boot_id():
            return []
        return [part.process for part in self.parts.values() if part.process is not None]

    def to_json(self) -> dict[str, Any]:
        """A form of plain values that `from_json` reads and people can read too."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Reads what `to_json` wrote."""
        parts = {name: PartStatus.from_json(part) for name, part in raw["parts"].items()}
        return cls(**{**raw, "supervisor": ProcessId(**raw["supervisor"]), "parts": parts})

    def write(self, path: Path) -> None:
        """Replaces the record in one step."""
        write_atomically(path, json.dumps(self.to_json(), indent=2))


def read_record(path: Path) -> StackRecord | None:
    """The record of a stack; None when the stack was never up or went down in order."""
    try:
        return StackRecord.from_json(json.loads(path.read_text()))
    except FileNotFoundError:
        return None

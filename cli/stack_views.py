"""How `pavane stack` shows a stack: progress while it comes up, status, environment."""

import json
import shlex
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from devstack.enforced import ENFORCER, enforcement
from devstack.record import PartPhase, PartStatus, StackRecord
from devstack.state import StateDir

_STYLES = {
    PartPhase.READY: "green",
    PartPhase.FAILED: "red",
    PartPhase.RESTARTING: "yellow",
    PartPhase.HELD: "yellow",
}


class Progress:
    """A line for each part that becomes ready or ends, and on a terminal what is still awaited."""

    def __init__(self, console: Console) -> None:
        """Writes to the console; without a terminal only plain lines."""
        self._console = console
        self._phases: dict[str, PartPhase] = {}
        self._status = Status("starting", console=console) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status:
            self._status.stop()

    def show(self, status: PartStatus) -> None:
        """Shows a change of one part."""
        if self._phases.get(status.name) is not status.phase:
            self._phases[status.name] = status.phase
            if line := _line(status):
                self._console.print(line, markup=False, soft_wrap=True)
        waiting = [name for name, phase in self._phases.items() if phase is PartPhase.STARTING]
        if self._status:
            ready = sum(phase is PartPhase.READY for phase in self._phases.values())
            count = f"{ready} of {len(self._phases)} ready"
            self._status.update(f"{count}; starting {', '.join(waiting)}" if waiting else count)


def show_status(console: Console, name: str, state: StateDir, record: StackRecord | None) -> None:
    """Prints a table of all parts and the addresses a person may want."""
    if record is None:
        console.print(f"stack {name} is not running ({state.root})")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("NAME", "PHASE", "PID", "READY AFTER", "RESTARTS", "DETAIL"):
        table.add_column(column, no_wrap=column != "DETAIL")
    for part in record.parts.values():
        style = _STYLES.get(part.phase, "")
        table.add_row(
            part.name,
            f"[{style}]{part.phase}[/{style}]" if style else str(part.phase),
            str(part.process.pid) if part.process else "",
            f"{part.ready_after:.1f} s" if part.ready_after is not None else "",
            str(part.restarts) if part.kind == "component" else "",
            escape(part.detail),
        )
    console.print(table)
    console.print()
    for title, variable in (
        ("Temporal UI", "TEMPORAL_UI_URL"),
        ("OpenBao", "VAULT_ADDR"),
        ("Kubernetes", "KUBECONFIG"),
        ("Pavane API", "PAVANE_API__URL"),
        ("Gateway", "PAVANE_GATEWAY__URL"),
        ("Git server", "PAVANE_GIT__URL"),
        ("Prometheus", "PAVANE_PROMETHEUS__URL"),
    ):
        is_there = title != "Pavane API" or record.platform
        if is_there and variable in record.environment:
            console.print(f"{title:<12} {record.environment[variable]}", soft_wrap=True)
    if ENFORCER in record.parts and (told := enforcement(state)):
        console.print(f"{'Policies':<12} {told}", soft_wrap=True)


def as_environment(variables: Mapping[str, str], form: str) -> str:
    """The variables as shell commands, JSON or a dotenv file."""
    if form == "json":
        return json.dumps(dict(sorted(variables.items())), indent=2) + "\n"
    prefix = "export " if form == "sh" else ""
    lines = (f"{prefix}{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
    return "".join(lines)


def _line(status: PartStatus) -> str:
    match status.phase:
        case PartPhase.READY:
            return f"{status.name} ready after {status.ready_after or 0:.1f} s"
        case PartPhase.RESTARTING | PartPhase.FAILED:
            return f"{status.name} {status.phase}: {status.detail}"
        case _:
            return ""

"""Shows an operation while it runs: a live table of steps, or plain lines without a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.client import Api
from cli.console import err
from cli.errors import ExitCode
from cli.output import between, lasted, styled

_MARKS = {
    "Waiting": Text("·", style="quiet"),
    "Done": Text("✓", style="good"),
    "Skipped": Text("-", style="quiet"),
    "Failed": Text("✗", style="bad"),
    "Undone": Text("↶", style="warn"),
}
_LOG_LINES = 20


class View(Protocol):
    """Where an operation is shown."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def update(self, operation: Mapping[str, Any]) -> None:
        """Shows the operation as it is now."""


class LiveView:
    """Redraws the steps in place."""

    def __init__(self, console: Console, *, passing: bool) -> None:
        self._spinner = Spinner("dots", style="busy")
        self._operation: Mapping[str, Any] = {}
        self._live = Live(
            get_renderable=self._render, console=console, refresh_per_second=10, transient=passing
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def update(self, operation: Mapping[str, Any]) -> None:
        """Shows the operation as it is now."""
        self._operation = operation
        self._live.refresh()

    def _render(self) -> RenderableType:
        return _picture(self._operation, self._spinner) if self._operation else self._spinner


class PlainView:
    """Writes one line for each thing that happened, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def update(self, operation: Mapping[str, Any]) -> None:
        """Writes what is new."""
        for step in operation["steps"]:
            key = (f"{operation['id']} {step['name']} {step['started']}", step["phase"])
            if step["phase"] != "Waiting" and key not in self._said:
                self._said.add(key)
                note = _note(step, operation)
                took = between(step["started"], step["finished"]) if step["finished"] else ""
                parts = (step["name"], step["phase"].lower(), took, note)
                self._console.print("  ".join(part for part in parts if part), markup=False)
        for one in operation.get("retrying") or ():
            key = (one["what"], one["message"])
            if key not in self._said:  # once for each reason, not for each try
                self._said.add(key)
                self._console.print(_retry(one), markup=False, soft_wrap=True)


def watch(
    api: Api, operation_id: str, *, until_request: str = "", passing: bool = False
) -> dict[str, Any]:
    """Shows an operation until it is over and returns it as it was last.

    With ``until_request`` it ends when that request of a queue is done, whoever waits behind it;
    what is returned then says how that request ended. What is ``passing`` is wiped at its end.
    """
    console = err()
    operation: dict[str, Any] = {}
    view: View = LiveView(console, passing=passing) if console.is_terminal else PlainView(console)
    with _detachable(operation_id), view:
        for operation in api.follow(operation_id):
            view.update(operation)
            mine = _of_request(operation, until_request)
            if mine is not None:
                return mine
    if until_request and operation.get("deployments"):
        return {**operation, "phase": "Superseded", "failure": None, "result": None}
    return operation


@contextmanager
def _detachable(operation_id: str) -> Iterator[None]:
    """Says, when the person stops watching, that the operation goes on."""
    try:
        yield
    except KeyboardInterrupt:
        err().print("[warn]not watching any more[/warn]; the operation goes on.")
        err().print(f"  watch  pavane operations watch {operation_id}", soft_wrap=True)
        err().print(f"  stop   pavane operations cancel {operation_id}", soft_wrap=True)
        raise


def describe(operation: Mapping[str, Any]) -> RenderableType:
    """Returns an operation as it is now: its steps, waits and notes."""
    return _picture(operation, Text("▶", style="busy"))


def _of_request(operation: Mapping[str, Any], request: str) -> dict[str, Any] | None:
    """Returns the operation as seen by one request of its queue, None while that is not done."""
    done = [one for one in operation.get("deployments") or () if one["requestId"] == request]
    if not request or not done:
        return None
    ended = done[-1]
    if ended["phase"] != "Succeeded" and not operation["finished"] and not operation["queue"]:
        return None  # the last of its queue: what went wrong is told in full at the end
    if ended["phase"] == "Succeeded":
        return {**operation, "phase": "Succeeded", "result": ended}
    told = operation.get("failure") or {}
    same = told.get("message") == ended["message"]
    failure = told if same else {"type": ended["reason"], "message": ended["message"]}
    return {**operation, "phase": ended["phase"], "result": None, "failure": failure}


def conclude(operation: Mapping[str, Any]) -> ExitCode:
    """Writes how an operation ended and returns the exit code that says the same."""
    console = err()
    took = between(operation["started"], operation["finished"])
    phase = operation["phase"]
    if phase == "Succeeded":
        console.print(f"[good]✓[/good] {_what(operation)} succeeded in {took}")
        return ExitCode.DONE
    console.print(f"[bad]✗[/bad] {_what(operation)} {phase.lower()} after {took}")
    failure = operation.get("failure") or {}
    if failure.get("message"):
        console.print(f"  {failure['type']}: {failure['message']}", markup=False, soft_wrap=True)
    for name, fact in (failure.get("facts") or {}).items():
        console.print(f"  {name}: {fact}", markup=False, soft_wrap=True, style="quiet")
    _log(console, failure.get("log", ""))
    return ExitCode.FAILED


def _picture(operation: Mapping[str, Any], busy: RenderableType) -> RenderableType:
    steps = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for step in operation["steps"]:
        mark = _MARKS.get(step["phase"], busy)
        took = between(step["started"], step["finished"])
        note = Text(_note(step, operation), style="quiet")
        steps.add_row(" ", mark, step["name"], Text(took, style="quiet"), note)
    return Group(_title(operation), steps, *_footnotes(operation))


def _log(console: Console, log: str) -> None:
    if not log:
        return
    console.print("  last lines of the log:", style="quiet")
    for line in log.splitlines()[-_LOG_LINES:]:
        console.print(f"  │ {line}", markup=False, soft_wrap=True)


def _what(operation: Mapping[str, Any]) -> str:
    place = operation["environment"] or operation["commit"]
    where = {"build": f" at {place}", "drift": ""}.get(
        operation["kind"], f" to {place}" if place else ""
    )
    return escape(f"{operation['kind']} of {operation['component']}{where}")


def _title(operation: Mapping[str, Any]) -> Text:
    took = between(operation["started"], operation["finished"])
    summary = operation["summary"] or _what(operation)
    return Text.assemble(styled(operation["phase"]), "  ", summary, "  ", (took, "quiet"))


def _note(step: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    waiting = operation.get("waitingFor")
    if step["phase"] == "Running" and waiting:
        who = f" ({waiting['who']} can end it)" if waiting.get("who") else ""
        return f"waiting for {waiting['what']}{who}"
    return str(step["message"])


def _retry(one: Mapping[str, Any]) -> str:
    """Says what is tried again, why, and when."""
    words = f"tried again: {one['what']}, attempt {one['attempt']}: {one['message']}"
    if one.get("nextTry"):
        left = (datetime.fromisoformat(one["nextTry"]) - datetime.now(UTC)).total_seconds()
        words += f" (next try in {lasted(max(left, 0))})"
    return words


def _footnotes(operation: Mapping[str, Any]) -> Iterable[RenderableType]:
    for one in operation.get("retrying") or ():
        yield Text(f"  {_retry(one)}", style="warn")
    if operation["queue"]:
        behind = len(operation["queue"])
        yield Text(f"  {behind} more in the queue", style="quiet")
    if operation["note"]:
        yield Text(f"  {operation['note']}", style="warn")

"""Shows what is being acquired, for how long, and how much is left by the last known times."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

_log = logging.getLogger(__name__)
_INTERVAL = timedelta(seconds=10)


class Progress(Protocol):
    """What acquiring tells about; called from many threads."""

    def started(self, name: str, what: str, expected: timedelta) -> None:
        """Work on a program has begun, or gone on to another source."""

    def finished(self, name: str, result: str) -> None:
        """The program is there."""

    def failed(self, name: str, result: str) -> None:
        """The program could not be acquired."""


class Silent:
    """Tells the log only."""

    def started(self, name: str, what: str, expected: timedelta) -> None:
        """Logs the start."""
        _log.info("%s: %s, about %s", name, what, short(expected))

    def finished(self, name: str, result: str) -> None:
        """Logs the end."""
        _log.info("%s: %s", name, result)

    def failed(self, name: str, result: str) -> None:
        """Logs the failure."""
        _log.warning("%s: %s", name, result)


@dataclass(slots=True)
class _Work:
    what: str
    expected: timedelta
    since: float = field(default_factory=time.monotonic)

    def text(self) -> str:
        """What, elapsed and left."""
        elapsed = timedelta(seconds=time.monotonic() - self.since)
        return f"{self.what}, {short(elapsed)}, {left(elapsed, self.expected)}"


class Lines:
    """Plain lines: one at each start and end, and one for all that runs every ten seconds."""

    def __init__(self, console: Console, interval: timedelta = _INTERVAL) -> None:
        """Prints to the console."""
        self._console = console
        self._interval = interval.total_seconds()
        self._running: dict[str, _Work] = {}
        self._lock = Lock()
        self._closed = Event()
        self._ticker = Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Starts the regular lines."""
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the regular lines."""
        self._closed.set()
        self._ticker.join()

    def started(self, name: str, what: str, expected: timedelta) -> None:
        """Prints the start."""
        with self._lock:
            self._print(f"{name}: {what} (about {short(expected)})")
            self._running[name] = _Work(what, expected)

    def finished(self, name: str, result: str) -> None:
        """Prints the end."""
        with self._lock:
            self._running.pop(name, None)
            self._print(f"{name}: {result}")

    def failed(self, name: str, result: str) -> None:
        """Prints the failure."""
        self.finished(name, f"FAILED: {result}")

    def _tick(self) -> None:
        while not self._closed.wait(self._interval):
            with self._lock:
                running = [f"{name} {work.text()}" for name, work in self._running.items()]
                if running:
                    self._print("  ... " + "; ".join(running))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Left(ProgressColumn):
    """Elapsed time and what is left."""

    def render(self, task: Task) -> Text:
        elapsed = timedelta(seconds=task.elapsed or 0)
        if task.finished:
            return Text(short(elapsed), style="dim")
        return Text(f"{short(elapsed)}, {left(elapsed, timedelta(seconds=task.total or 0))}")


class Live:
    """One moving line a program on a terminal."""

    def __init__(self, console: Console) -> None:
        """Draws on the console."""
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.fields[program]:<16}"),
            BarColumn(bar_width=24),
            _Left(),
            TextColumn("[dim]{task.description}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = Lock()
        self._closed = Event()
        self._ticker = Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Starts drawing."""
        self._bars.start()
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the last picture on the terminal."""
        self._closed.set()
        self._ticker.join()
        self._bars.stop()

    def started(self, name: str, what: str, expected: timedelta) -> None:
        """Adds or renews the line of the program."""
        total = max(expected.total_seconds(), 1.0)
        with self._lock:
            if name in self._tasks:
                self._bars.reset(self._tasks[name], total=total, description=what)
            else:
                self._tasks[name] = self._bars.add_task(what, total=total, program=name)

    def finished(self, name: str, result: str) -> None:
        """Fills the line."""
        with self._lock:
            task = self._tasks.get(name)
            if task is None:
                self._tasks[name] = self._bars.add_task(result, total=1, completed=1, program=name)
            else:
                total = self._bars.tasks[task].total
                self._bars.update(task, description=result, completed=total)

    def failed(self, name: str, result: str) -> None:
        """Stops the line where it is."""
        with self._lock:
            if name in self._tasks:
                self._bars.stop_task(self._tasks[name])
                first = result.splitlines()[0]
                self._bars.update(self._tasks[name], description=f"[red]{first}")

    def _tick(self) -> None:
        while not self._closed.wait(0.25):
            with self._lock:
                for task in self._bars.tasks:
                    if not task.finished and task.stop_time is None:
                        almost = (task.total or 0) * 0.98
                        self._bars.update(task.id, completed=min(task.elapsed or 0, almost))


@contextmanager
def reporter(console: Console | None = None) -> Iterator[Progress]:
    """A moving display on a terminal, plain lines elsewhere; on standard error by default."""
    console = console or Console(file=sys.stderr)
    with Live(console) if console.is_terminal else Lines(console) as progress:
        yield progress


def short(duration: timedelta) -> str:
    """`42 s` or `3 min 05 s`."""
    seconds = round(duration.total_seconds())
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def left(elapsed: timedelta, expected: timedelta) -> str:
    """How much is left by the expected time."""
    if elapsed >= expected:
        return f"longer than the expected {short(expected)}"
    return f"about {short(expected - elapsed)} left"

"""What a stack is made of: supervised processes (`Component`) and one-shot work (`Step`).

A profile is a function from a `StackContext` to a sequence of parts; the supervisor starts each
part as soon as everything it needs is ready. Parts only describe: they start and await nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

Hook: TypeAlias = Callable[[], Awaitable[None]]
"""Idempotent asynchronous work; raises `DevstackError` with a sentence when it cannot be done."""


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Ready when a GET answers with one of the expected statuses; `https` needs `ca`."""

    url: str
    statuses: tuple[int, ...] = (200,)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Ready when a connection is accepted."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixProbe:
    """Ready when the Unix socket accepts a connection."""

    path: Path


@dataclass(frozen=True, slots=True)
class CommandProbe:
    """Ready when the command ends with status 0."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileProbe:
    """Ready when the file exists."""

    path: Path


@dataclass(frozen=True, slots=True)
class CallProbe:
    """Ready when the call returns true; the name is what the progress display shows."""

    name: str
    check: Callable[[], Awaitable[bool]]


Probe: TypeAlias = HttpProbe | TcpProbe | UnixProbe | CommandProbe | FileProbe | CallProbe


@dataclass(frozen=True, slots=True)
class Component:
    """One supervised process.

    The process leads a session and a process group of its own, dies with the supervisor, and is
    restarted with back-off when it ends by itself. Stopping means SIGTERM to the whole group, then
    SIGKILL after `stop_timeout`. A component inside the namespaces of a node is an ordinary one
    whose `argv` enters them (`nsenter ... -- program`); give `argv` as a callable when it is known
    only at start, for example because it names the process that holds the namespaces.
    """

    name: str
    argv: Sequence[str] | Callable[[], Sequence[str]]
    needs: tuple[str, ...] = ()
    """Names of parts that must be ready before each start, restarts included."""

    ready: Probe | None = None
    """None: ready as soon as it runs."""

    env: Mapping[str, str] = field(default_factory=dict)
    """Added to a small inherited set (PATH, HOME, locale, proxies, certificate bundle)."""

    cwd: Path | None = None
    """None: the state folder of the stack."""

    ready_timeout: timedelta = timedelta(seconds=60)
    stop_timeout: timedelta = timedelta(seconds=10)
    stop_signal: int = 15

    before_start: Hook | None = None
    """Runs before every start: writes configuration, removes stale sockets."""

    after_ready: Hook | None = None
    """Runs after every start once the probe passes, before dependents start (unsealing)."""

    after_stop: Hook | None = None
    """Runs after every end of the process, and when a stack whose supervisor died is repaired."""


@dataclass(frozen=True, slots=True)
class Step:
    """Work done once at every `up`, when its needs are ready; idempotent and quick to repeat."""

    name: str
    run: Hook
    needs: tuple[str, ...] = ()
    undo: Hook | None = None
    """Runs at `down` in reverse order, and when a stack whose supervisor died is repaired.

    Must cope with nothing, or only half of it, being there.
    """

    timeout: timedelta = timedelta(seconds=120)
    attempts: int = 3


Part: TypeAlias = Component | Step

from __future__ import annotations

import io
import threading
from datetime import timedelta

import pytest
from rich.console import Console

from devstack.programs import admission
from devstack.programs.admission import Admission
from devstack.programs.errors import Cancelled
from devstack.programs.progress import Lines, Live, left, reporter, short


class Watched(io.StringIO):
    """Tells when a text has been written."""

    def __init__(self, awaited: str) -> None:
        super().__init__()
        self._awaited = awaited
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._awaited in self.getvalue():
            self.seen.set()
        return written


def test_durations_are_short() -> None:
    assert short(timedelta(seconds=42)) == "42 s"
    assert short(timedelta(seconds=185)) == "3 min 05 s"


def test_what_is_left_follows_from_the_last_known_time() -> None:
    minute = timedelta(minutes=1)

    assert left(timedelta(seconds=18), minute) == "about 42 s left"
    assert left(timedelta(seconds=61), minute) == "longer than the expected 1 min 00 s"


def test_without_a_terminal_running_work_is_told_again_and_again() -> None:
    output = Watched("... kube compiling, 0 s, about 1 min 00 s left")
    lines = Lines(Console(file=output, width=200), interval=timedelta(milliseconds=5))
    with lines as progress:
        progress.started("kube", "compiling", timedelta(minutes=1))
        assert output.seen.wait(10)
        progress.finished("kube", "1.34 in 5 s")
        progress.failed("argo", "no Go")

    assert output.getvalue().startswith("kube: compiling (about 1 min 00 s)\n")
    assert output.getvalue().endswith("kube: 1.34 in 5 s\nargo: FAILED: no Go\n")


def test_on_a_terminal_every_program_has_a_line() -> None:
    output = io.StringIO()
    with Live(Console(file=output, force_terminal=True, width=120)) as progress:
        progress.started("kube", "compiling 1.34", timedelta(minutes=5))
        progress.started("argo", "downloading", timedelta(minutes=1))
        progress.started("argo", "compiling 3.7", timedelta(minutes=3))
        progress.finished("kube", "1.34 in 5 s")
        progress.failed("argo", "no Go\nsecond line")
        progress.finished("pause", "made by another command")

    last = output.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert "no Go" in last
    assert "second line" not in output.getvalue()
    assert "1.34 in 5 s" in output.getvalue()
    assert "made by another command" in output.getvalue()


@pytest.mark.parametrize(("terminal", "kind"), [(True, Live), (False, Lines)])
def test_the_display_follows_from_the_terminal(terminal: bool, kind: type) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal)
    with reporter(console) as progress:
        assert isinstance(progress, kind)


def test_a_second_build_waits_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "available_memory", lambda: 4_000_000_000)
    gate = Admission(threading.Event())
    entered = threading.Event()

    def second() -> None:
        with gate.admitted(2_500_000_000):
            entered.set()

    thread = threading.Thread(target=second)
    with gate.admitted(2_500_000_000):
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(10)
    thread.join(10)


def test_builds_run_side_by_side_where_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "available_memory", lambda: 20_000_000_000)
    gate = Admission(threading.Event(), most=2)

    with gate.admitted(2_500_000_000), gate.admitted(2_500_000_000):
        pass


def test_downloads_do_not_wait_for_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "available_memory", lambda: 0)
    gate = Admission(threading.Event())

    with gate.admitted(2_500_000_000), gate.admitted(0):
        pass


def test_waiting_for_memory_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "available_memory", lambda: 0)
    cancel = threading.Event()
    gate = Admission(cancel)
    cancel.set()

    with gate.admitted(1), pytest.raises(Cancelled), gate.admitted(1):
        pytest.fail("both were admitted")

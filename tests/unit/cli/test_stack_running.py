"""What the commands of `pavane stack` share."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from cli.stack import stack_app
from cli.stack_running import fail, run

pytestmark = pytest.mark.unit


@contextmanager
def in_the_background() -> Iterator[None]:
    """As a shell starts what ends in ``&``: interrupts are ignored."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_command_that_is_told_to_end_ends_what_it_does_like_one_that_is_interrupted() -> None:
    ended = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            ended.append("the work")

    with in_the_background(), pytest.raises(typer.Exit) as told:
        run(work())
    assert told.value.exit_code == 130
    assert ended == ["the work"]


def test_an_error_is_told_as_it_is_with_brackets_and_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = "kubelet ended: [/run/x] [Errno 24] too many open files; " + "more of it " * 20

    with pytest.raises(typer.Exit):
        fail(told)

    assert capsys.readouterr().err == f"error: {told}\n"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_stack_that_does_not_run_says_so_to_programs(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAVANE_STATE_DIR", str(tmp_path))

    told = CliRunner().invoke(stack_app, ["status", "--name", "none", "-o", form])

    assert told.exit_code == 1
    shown = yaml.safe_load(told.stdout)
    assert (shown["name"], shown["running"], shown["ready"]) == ("none", False, False)
    assert shown["root"].startswith(str(tmp_path))

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from devstack.programs.errors import Cancelled
from devstack.programs.model import Program, ProgramSpec
from devstack.programs.store import Store, default_root
from tests.unit.devstack_programs.samples import program

SPEC = program("tool")


def ignore() -> None:
    pass


def make(store: Store, spec: ProgramSpec = SPEC) -> Program:
    with (
        store.locked(spec, waiting=ignore, cancel=threading.Event()),
        store.staging(spec) as staged,
    ):
        (staged / spec.name).write_text("#!/bin/sh\n")
        return store.keep(spec, staged, {spec.name: spec.name})


def test_a_kept_program_is_found_with_its_files(root: Path) -> None:
    kept = make(Store(root))

    assert Store(root).find(SPEC) == kept
    assert kept.path == root / "tool" / "1.2.3-abc" / "tool"
    assert kept.path.read_text() == "#!/bin/sh\n"


def test_a_program_is_not_there_before_it_is_complete(root: Path) -> None:
    store = Store(root)
    with (
        store.locked(SPEC, waiting=ignore, cancel=threading.Event()),
        store.staging(SPEC) as staged,
    ):
        (staged / "tool").write_text("half")

        assert store.find(SPEC) is None
    assert [path.name for path in (root / "tool").iterdir()] == [".lock"]


def test_a_program_whose_file_was_deleted_is_made_again(root: Path) -> None:
    store = Store(root)
    make(store).path.unlink()

    assert store.find(SPEC) is None
    assert make(store).path.exists()


def test_what_a_killed_process_left_is_removed_by_the_next(root: Path) -> None:
    leftover = root / "tool" / ".staging-killed"
    leftover.mkdir(parents=True)
    (leftover / "tool").write_text("half")

    make(Store(root))

    assert not leftover.exists()


def test_a_second_command_waits_for_the_first(root: Path) -> None:
    store = Store(root)
    waiting = threading.Event()
    seen: list[Program | None] = []

    def second() -> None:
        with store.locked(SPEC, waiting=waiting.set, cancel=threading.Event()):
            seen.append(store.find(SPEC))

    with store.locked(SPEC, waiting=ignore, cancel=threading.Event()):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        with store.staging(SPEC) as staged:
            (staged / "tool").write_text("")
            kept = store.keep(SPEC, staged, {"tool": "tool"})
    thread.join(10)

    assert seen == [kept]


def test_waiting_for_another_command_can_be_given_up(root: Path) -> None:
    store = Store(root)
    cancel = threading.Event()
    with (
        store.locked(SPEC, waiting=ignore, cancel=threading.Event()),
        pytest.raises(Cancelled),
        store.locked(SPEC, waiting=cancel.set, cancel=cancel),
    ):
        pytest.fail("both hold it")


def test_durations_are_remembered_for_the_next_time(root: Path) -> None:
    root.mkdir()
    assert Store(root).remembered_seconds(SPEC) == 5

    Store(root).remember_seconds(SPEC, 42.04)

    assert Store(root).remembered_seconds(SPEC) == 42.0
    assert Store(root).remembered_seconds(program("other")) == 5


def test_a_broken_file_of_durations_is_no_obstacle(root: Path) -> None:
    root.mkdir()
    (root / "durations.json").write_text("{")

    assert Store(root).remembered_seconds(SPEC) == 5


def test_the_cache_is_where_the_person_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAVANE_CACHE_DIR", str(tmp_path))
    assert default_root() == tmp_path / "programs"

    monkeypatch.delenv("PAVANE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "pavane" / "programs"


def test_other_people_may_run_a_kept_program(root: Path) -> None:
    make(Store(root))

    assert (root / "tool" / "1.2.3-abc").stat().st_mode & 0o777 == 0o755

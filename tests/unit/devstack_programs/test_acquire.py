from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from devstack.errors import DevstackError, PreflightFailed
from devstack.programs import ProgramUnavailable, ensure, index
from devstack.programs.errors import PackagesMissing
from devstack.programs.model import Debian, Program, Release, Wheel
from tests.unit.devstack_programs.samples import ReleaseServer, packed, program


class Told:
    """Keeps what progress is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, name: str, what: str, expected: timedelta) -> None:
        self.lines.append(f"{name} started: {what}")

    def finished(self, name: str, result: str) -> None:
        self.lines.append(f"{name} finished")

    def failed(self, name: str, result: str) -> None:
        self.lines.append(f"{name} failed: {result}")


def test_a_release_is_downloaded_checked_and_extracted(server: ReleaseServer, root: Path) -> None:
    archive = packed({"dir/tool": b"#!/bin/sh\necho it runs\n", "dir/README": b"read me"})
    spec = program("tool", server.offer("/tool.tgz", archive, {"tool": "dir/tool"}))

    tool = ensure(["tool"], root=root, specs={"tool": spec})["tool"]

    assert tool.path.read_bytes() == b"#!/bin/sh\necho it runs\n"
    assert tool.path.stat().st_mode & 0o111
    assert sorted(path.name for path in tool.path.parent.iterdir()) == ["tool"]


def test_a_release_may_be_a_bare_executable(server: ReleaseServer, root: Path) -> None:
    spec = program("tool", server.offer("/tool", b"\x7fELF", {"tool": "."}))

    assert ensure(["tool"], root=root, specs={"tool": spec})["tool"].path.read_bytes() == b"\x7fELF"


def test_a_cached_program_is_not_downloaded_again(server: ReleaseServer, root: Path) -> None:
    specs = {"tool": program("tool", server.offer("/tool", b"x", {"tool": "."}))}
    first = ensure(["tool"], root=root, specs=specs)
    told = Told()

    assert ensure(["tool", "tool"], root=root, specs=specs, progress=told) == first
    assert server.downloads == ["/tool"]
    assert told.lines == []


def test_two_commands_at_once_share_one_download(server: ReleaseServer, root: Path) -> None:
    specs = {"tool": program("tool", server.offer("/tool", b"x", {"tool": "."}))}
    server.gate.clear()
    waits = threading.Event()

    class Second(Told):
        def started(self, name: str, what: str, expected: timedelta) -> None:
            super().started(name, what, expected)
            waits.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ensure, ["tool"], root=root, specs=specs)
        assert server.waiting.wait(10)
        second_told = Second()
        second = pool.submit(ensure, ["tool"], root=root, specs=specs, progress=second_told)
        assert waits.wait(10)
        server.gate.set()

        assert first.result(20) == second.result(20)
    assert server.downloads == ["/tool"]
    assert second_told.lines == [
        "tool started: waiting for another command that builds it",
        "tool finished",
    ]


def test_another_content_than_the_pinned_one_is_refused(server: ReleaseServer, root: Path) -> None:
    spec = program("tool", server.offer("/tool", b"pinned", {"tool": "."}))
    server.content["/tool"] = b"something else"

    with pytest.raises(ProgramUnavailable, match=r"has SHA-256 .*, pinned is "):
        ensure(["tool"], root=root, specs={"tool": spec})
    assert [path.name for path in (root / "tool").iterdir()] == [".lock"]


def test_the_next_source_is_tried_when_one_fails(server: ReleaseServer, root: Path) -> None:
    gone = server.offer("/gone", b"x", {"tool": "."})
    del server.content["/gone"]
    spec = program("tool", gone, server.offer("/tool", b"second", {"tool": "."}))

    assert ensure(["tool"], root=root, specs={"tool": spec})["tool"].path.read_bytes() == b"second"


def test_an_error_names_what_was_tried_and_why_it_failed(root: Path) -> None:
    nowhere = Release(
        url={"x86_64": "http://127.0.0.1:9/t", "aarch64": "http://127.0.0.1:9/t"},
        sha256={"x86_64": "", "aarch64": ""},
        files={"tool": "."},
    )
    foreign = Wheel(project="tool-bin", version="1", sha256={"s390x": ""}, files={}, tree="")
    spec = program("tool", nowhere, foreign)

    with pytest.raises(ProgramUnavailable) as failure:
        ensure(["tool"], root=root, specs={"tool": spec})

    assert "tool 1.2.3 could not be acquired" in str(failure.value)
    assert "release: 127.0.0.1 is not reachable" in str(failure.value)
    assert "pypi: tool-bin==1 is not pinned for" in str(failure.value)


def test_a_failure_ends_the_work_on_other_programs(server: ReleaseServer, root: Path) -> None:
    endless = program("endless", server.offer("/endless", b"x", {"endless": "."}))
    broken = program("broken", server.offer("/broken", b"x", {"broken": "."}))
    del server.content["/broken"]
    began = threading.Event()
    server.endless["/endless"] = began
    server.after["/broken"] = began
    told = Told()

    with pytest.raises(ProgramUnavailable, match=r"broken 1\.2\.3"):
        ensure(
            ["endless", "broken"],
            root=root,
            specs={"endless": endless, "broken": broken},
            progress=told,
        )

    assert "endless failed: given up" in told.lines
    assert [path.name for path in (root / "endless").iterdir()] == [".lock"]


def test_sources_can_be_restricted(
    server: ReleaseServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = {"tool": program("tool", server.offer("/tool", b"x", {"tool": "."}))}
    monkeypatch.setenv("PAVANE_PROGRAM_SOURCES", "go, pypi")

    with pytest.raises(ProgramUnavailable, match=r"only from release; .* allows go, pypi"):
        ensure(["tool"], root=root, specs=specs)
    assert server.downloads == []

    monkeypatch.setenv("PAVANE_PROGRAM_SOURCES", "release")
    ensure(["tool"], root=root, specs=specs)
    assert server.downloads == ["/tool"]


def test_an_unknown_kind_of_source_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAVANE_PROGRAM_SOURCES", "release,magic")

    with pytest.raises(DevstackError, match="names magic; possible are release, go, pypi, debian"):
        ensure([], root=root, specs={})


def test_an_unknown_program_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(DevstackError, match="no program 'tol'; known are tool"):
        ensure(["tol"], root=root, specs={"tool": program("tool")})


def test_too_little_disk_is_said_before_any_work(server: ReleaseServer, root: Path) -> None:
    release = server.offer("/tool", b"x", {"tool": "."})
    spec = program("tool", release, kept=10**18)

    with pytest.raises(
        PreflightFailed, match=r"free, acquiring the programs needs 1000000000.0 GB"
    ):
        ensure(["tool"], root=root, specs={"tool": spec})
    assert server.downloads == []


def test_packages_are_used_where_they_are(root: Path, tmp_path: Path) -> None:
    present = tmp_path / "tool"
    present.touch()
    package = Debian(packages=("no-such-package",), files={"tool": str(present)}, services=())

    tool = ensure(["tool"], root=root, specs={"tool": program("tool", package)})["tool"]

    assert tool.path == present
    assert tool.version == "local"


def test_missing_packages_come_with_the_command_for_root(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.programs.debian.os.geteuid", lambda: 1000)
    monkeypatch.setattr("devstack.programs.debian.shutil.which", lambda name: f"/usr/bin/{name}")
    package = Debian(packages=("tool-pkg",), files={"tool": "/nonexistent/tool"}, services=())

    with pytest.raises(PackagesMissing) as failure:
        ensure(["tool"], root=root, specs={"tool": program("tool", package)})

    assert failure.value.packages == ("tool-pkg",)
    assert "sudo apt-get install --no-install-recommends tool-pkg" in str(failure.value)


def test_an_index_of_programs_refuses_two_files_of_one_name() -> None:
    one = Program("one", "1", Path("/1/x"), {"x": Path("/1/x")})
    two = Program("two", "1", Path("/2/x"), {"x": Path("/2/x")})

    assert index([one]) == {"x": Path("/1/x")}
    with pytest.raises(DevstackError, match="x is a file of two programs"):
        index({"one": one, "two": two})

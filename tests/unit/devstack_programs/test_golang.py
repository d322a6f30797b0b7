from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from devstack.programs import ProgramUnavailable, ensure
from devstack.programs.catalogue import catalogue, minimum_go
from devstack.programs.golang import find_go, parse_version
from devstack.programs.model import GoBuild, GoFiles
from tests.unit.devstack_programs.samples import program


def needs_go() -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_go(minimum_go()) is None, reason="there is no Go")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/tool\n\ngo 1.24.0\n")
    (folder / "main.go").write_text(
        'package main\n\nimport "fmt"\n\nvar version = "none"\n\n'
        "func main() { fmt.Println(version) }\n"
    )
    return folder


def tool(module: Path, **changed: object) -> GoBuild:
    options: dict[str, object] = {
        "module": module,
        "packages": {"tool": "."},
        "links": {},
        "variables": {},
        "restored": {},
    }
    return GoBuild(**(options | changed))  # type: ignore[arg-type]


def fake_go(folder: Path, version: str) -> Path:
    folder.mkdir()
    path = folder / "go"
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8\n", (1, 26, 8)), ("1.26.4", (1, 26, 4)), ("go1.27rc1", (1, 27)), ("devel", (0,))],
)
def test_versions_of_go_are_read(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_a_go_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_go(tmp_path / "old", "go1.20.1")
    new = fake_go(tmp_path / "new", "go1.30.0")
    monkeypatch.setenv("PATH", str(old.parent))

    assert find_go("1.26.4", (str(new),)) == new
    assert find_go("1.26.4", ()) is None
    assert find_go("1.20", ()) == old


def test_a_go_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = fake_go(tmp_path / "broken", "go1.30.0")
    broken.write_text("#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", "")

    assert find_go("1.26.4", (str(broken),)) is None


@needs_go()
def test_a_module_is_compiled_with_its_version_and_links(module: Path, root: Path) -> None:
    source = tool(module, variables={"main.version": "v{version}"}, links={"other-name": "tool"})
    built = ensure(["tool"], root=root, specs={"tool": program("tool", source)})["tool"]

    for name in ("tool", "other-name"):
        answer = subprocess.run([built.files[name]], capture_output=True, text=True, check=True)
        assert answer.stdout == "v1.2.3\n"


@needs_go()
def test_a_compiler_error_is_shown_with_the_place_of_the_log(module: Path, root: Path) -> None:
    (module / "main.go").write_text("package main\n\nfunc main() { undefinedThing() }\n")

    with pytest.raises(ProgramUnavailable) as failure:
        ensure(["tool"], root=root, specs={"tool": program("tool", tool(module))})

    assert "undefined: undefinedThing" in str(failure.value)
    assert str(root / "logs" / "tool.log") in str(failure.value)
    assert "undefined: undefinedThing" in (root / "logs" / "tool.log").read_text()


@needs_go()
def test_a_link_lost_from_a_module_archive_is_restored(module: Path, root: Path) -> None:
    library = module / "library"
    library.mkdir()
    (library / "go.mod").write_text("module example.com/library\n\ngo 1.24.0\n")
    (library / "name_darwin.go").write_text(
        'package library\n\nfunc Name() string { return "lib" }\n'
    )
    (library / "doc.go").write_text("package library\n")
    (module / "go.mod").write_text(
        "module example.com/tool\n\ngo 1.24.0\n\nrequire example.com/library v0.0.0\n\n"
        "replace example.com/library => ./library\n"
    )
    (module / "main.go").write_text(
        'package main\n\nimport "example.com/library"\n\nfunc main() { println(library.Name()) }\n'
    )
    source = tool(module, restored={"example.com/library/name_linux.go": "name_darwin.go"})

    built = ensure(["tool"], root=root, specs={"tool": program("tool", source)})["tool"]

    answer = subprocess.run([built.path], capture_output=True, text=True, check=True)
    assert answer.stderr == "lib\n"
    assert not (library / "name_linux.go").exists()
    assert sorted(path.name for path in built.path.parents[1].iterdir()) == ["bin", "program.json"]


def test_without_any_go_the_pinned_one_is_acquired_and_its_failure_explained(
    module: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.programs.golang.find_go", lambda minimum: None)
    specs = {"tool": program("tool", tool(module)), "go": program("go")}

    with pytest.raises(ProgramUnavailable, match="install Go and repeat"):
        ensure(["tool"], root=root, specs=specs)


def module_answer(folder: Path, checksum: str) -> str:
    return f'#!/bin/sh\necho \'{{\n"Dir": "{folder}",\n"Sum": "{checksum}"\n}}\'\n'


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published module, given by a Go that only knows this one."""
    folder = tmp_path / "published"
    (folder / "crds").mkdir(parents=True)
    (folder / "crds" / "a.yaml").write_text("a: 1")
    (folder / "crds" / "notes.md").write_text("")
    go = tmp_path / "go"
    go.write_text(module_answer(folder, "h1:right"))
    go.chmod(0o755)
    monkeypatch.setattr("devstack.programs.golang.find_go", lambda minimum: go)
    return folder


def files_of(checksum: str, *include: str) -> GoFiles:
    return GoFiles(module="example.com/m", version="v1", sum=checksum, include=include)


def test_files_of_a_published_module_are_kept(published: Path, root: Path) -> None:
    spec = program("data", files_of("h1:right", "crds/*.yaml"), main="")
    data = ensure(["data"], root=root, specs={"data": spec})["data"]

    assert {name: path.read_text() for name, path in data.files.items()} == {"a.yaml": "a: 1"}
    assert data.path == data.files["a.yaml"].parent


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (files_of("h1:wrong", "crds/*.yaml"), "has checksum h1:right, pinned is h1:wrong"),
        (files_of("h1:right", "elsewhere/*"), "has no files elsewhere/"),
    ],
)
def test_another_module_than_the_pinned_one_is_refused(
    published: Path, root: Path, source: GoFiles, reason: str
) -> None:
    with pytest.raises(ProgramUnavailable, match=reason):
        ensure(["data"], root=root, specs={"data": program("data", source, main="")})


@needs_go()
def test_the_pause_program_ends_when_told_to(root: Path) -> None:
    pause = ensure(["pause"], root=root, specs={"pause": catalogue()["pause"]})["pause"]
    process = subprocess.Popen([pause.path])
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    process.send_signal(signal.SIGCHLD)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0

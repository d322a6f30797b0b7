"""The image of `api` and `worker`, as far as its recipe tells."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest


@pytest.fixture
def dockerfile(root: Path) -> str:
    return (root / "docker/Dockerfile").read_text()


def project(root: Path) -> dict[str, dict[str, dict[str, object]]]:
    content: dict[str, dict[str, dict[str, object]]] = tomllib.loads(
        (root / "pyproject.toml").read_text()
    )
    return content


def tracked(root: Path) -> list[str]:
    done = subprocess.run(
        ["git", "ls-files"], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.splitlines()


def test_bases_are_pinned(root: Path) -> None:
    for file in [root / "docker/Dockerfile", *(root / "docker/images").glob("*.Dockerfile")]:
        text = file.read_text()
        arguments = dict(re.findall(r"^ARG (\w+)=(\S+:\S+)$", text, flags=re.MULTILINE))
        bases = [
            arguments.get(base.strip("${}"), base)
            for base in re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
        ]
        assert bases
        assert all(re.search(r":\d+\.\d+", base) for base in bases), file.name


def test_runs_as_nobody_in_particular(dockerfile: str) -> None:
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, flags=re.MULTILINE)
    assert "pip install" not in last_stage


def test_every_package_is_checked_against_its_hash(dockerfile: str) -> None:
    installs = re.findall(r"pip install (.+)", dockerfile)
    assert installs
    assert all(re.search("--require-hashes|--no-deps --no-index", one) for one in installs)


def test_packages_come_from_the_lock_alone(root: Path, dockerfile: str) -> None:
    setup = (root / "scripts/setup.sh").read_text()
    installs = re.findall(r"pip install (.+)", dockerfile + setup)
    assert all("--no-deps" in one for one in installs)


def test_build_backend_is_found_in_the_lock(root: Path, dockerfile: str) -> None:
    (program,) = re.findall(r"awk ('[^']+') requirements/dev.lock", dockerfile)
    done = subprocess.run(
        ["awk", program.strip("'"), root / "requirements/dev.lock"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert re.fullmatch(
        r"setuptools==\S+ \\\n(\s+--hash=sha256:[0-9a-f]{64}( \\)?\n)+", done.stdout
    )


def test_context_has_all_that_is_installed(root: Path) -> None:
    setuptools = project(root)["tool"]["setuptools"]
    packages = {
        str(pattern).rstrip("*")
        for pattern in setuptools["packages"]["find"]["include"]  # type: ignore[index]
    }
    modules = {f"{name}.py" for name in setuptools["py-modules"]}  # type: ignore[attr-defined]
    allowed = set(re.findall(r"^!(\S+)$", (root / ".dockerignore").read_text(), flags=re.MULTILINE))
    assert packages | modules | {"pyproject.toml", "README.md", "LICENSE"} <= allowed


def test_data_beside_the_code_is_installed_with_it(root: Path) -> None:
    setuptools = project(root)["tool"]["setuptools"]
    packages = [str(p).rstrip("*") for p in setuptools["packages"]["find"]["include"]]  # type: ignore[index]
    patterns: list[str] = setuptools["package-data"]["*"]  # type: ignore[index]
    data = [
        file
        for file in tracked(root)
        if file.partition("/")[0] in packages and not file.endswith(".py")
    ]
    assert data
    left_out = [
        file for file in data if not any(fnmatch(Path(file).name, pattern) for pattern in patterns)
    ]
    assert left_out == []

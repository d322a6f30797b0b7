"""Locked packages: each with its hashes, none with an address, nothing wanted left out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(r"([a-z0-9][a-z0-9._-]*)(\[[a-z0-9,-]+])?==(\S+)")


def entries(lock: Path) -> dict[str, list[str]]:
    """Package and version -> its lines."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock.read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            current = found.setdefault(line.split(" ")[0], [])
        elif line.strip().startswith("--hash"):
            current.append(line.strip())
    return found


@pytest.fixture(params=["dev.lock", "runtime.lock"])
def lock(request: pytest.FixtureRequest, root: Path) -> Path:
    return root / "requirements" / str(request.param)


def test_every_package_has_a_version_and_hashes(lock: Path) -> None:
    found = entries(lock)
    assert len(found) > 20
    for name, hashes in found.items():
        assert ENTRY.fullmatch(name), name
        assert hashes, f"{name} has no hash"
        assert all(re.match(r"--hash=sha256:[0-9a-f]{64}\b", one) for one in hashes)


def test_no_address_of_a_registry(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links", lock.read_text())


def test_what_is_wanted_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    runtime = locked(root / "requirements/runtime.lock")
    development = locked(root / "requirements/dev.lock")
    for wanted, where in (
        (project["project"]["dependencies"], runtime),
        (project["dependency-groups"]["dev"], development),
    ):
        for text in wanted:
            requirement = Requirement(text)
            version = where.get(canonicalize_name(requirement.name))
            assert version is not None, f"{text} is not locked"
            assert requirement.specifier.contains(version, prereleases=True), text


def test_what_runs_is_what_was_tested(root: Path) -> None:
    development = locked(root / "requirements/dev.lock")
    runtime = locked(root / "requirements/runtime.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def locked(lock: Path) -> dict[str, str]:
    found = {}
    for entry in entries(lock):
        match = ENTRY.fullmatch(entry)
        assert match, entry
        found[str(canonicalize_name(match[1]))] = match[3]
    return found

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devstack.programs.debian import missing_files, services_kept_down
from devstack.programs.model import Debian

DENIED = 101


def verdict(policy: Path, *arguments: str) -> int:
    return subprocess.run([policy, *arguments], check=False).returncode


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy-rc.d"


def existing(policy: Path, status: int) -> None:
    policy.write_text(f"#!/bin/sh\nexit {status}\n")
    policy.chmod(0o755)


def test_only_the_services_of_the_packages_are_kept_down(policy: Path) -> None:
    with services_kept_down(["containerd"], policy):
        assert verdict(policy, "containerd", "start") == DENIED
        assert verdict(policy, "--quiet", "containerd.service", "restart") == DENIED
        assert verdict(policy, "ssh", "restart") == 0
    assert list(policy.parent.iterdir()) == []


def test_a_policy_of_the_machine_stays_in_force_and_is_put_back(policy: Path) -> None:
    existing(policy, DENIED)
    before = policy.read_text()

    with services_kept_down(["containerd"], policy):
        assert verdict(policy, "containerd", "start") == DENIED
        assert verdict(policy, "ssh", "restart") == DENIED
    assert policy.read_text() == before
    assert list(policy.parent.iterdir()) == [policy]


def test_a_policy_is_put_back_when_the_installation_fails(policy: Path) -> None:
    existing(policy, 0)
    before = policy.read_text()

    with pytest.raises(RuntimeError), services_kept_down(["containerd"], policy):
        raise RuntimeError
    assert policy.read_text() == before


def test_a_policy_left_by_a_killed_command_is_repaired(policy: Path) -> None:
    existing(policy, 0)
    before = policy.read_text()
    killed = services_kept_down(["containerd"], policy)
    killed.__enter__()
    left = {path.name: path.read_text() for path in policy.parent.iterdir()}
    killed.__exit__(None, None, None)
    for name, text in left.items():
        (policy.parent / name).write_text(text)

    with services_kept_down([], policy):
        assert policy.read_text() == before
    assert list(policy.parent.iterdir()) == [policy]


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    present, absent = tmp_path / "present", tmp_path / "absent"
    present.touch()
    files = {"present": str(present), "absent": str(absent)}

    assert missing_files(Debian(packages=("x",), files=files, services=())) == [str(absent)]

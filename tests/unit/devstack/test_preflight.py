"""What is asked of the machine before any work starts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from devstack import preflight
from devstack.errors import PreflightFailed
from devstack.preflight import spare_watchers
from devstack.state import StateDir

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def watchers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other stacks of this machine leave."""
    monkeypatch.setattr(preflight, "spare_watchers", lambda wanted: wanted)


def test_a_person_who_is_not_root_is_told_of_the_core_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(PreflightFailed, match="--profile core"):
        preflight.check("full", StateDir(tmp_path))
    preflight.check("core", StateDir(tmp_path))


def test_root_without_capabilities_is_told_which_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(preflight, "effective_capabilities", lambda: 0)

    with pytest.raises(PreflightFailed) as refusal:
        preflight.check("full", StateDir(tmp_path))

    assert "CAP_SYS_ADMIN" in str(refusal.value)
    assert "CAP_NET_ADMIN" in str(refusal.value)


def test_a_full_disk_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(PreflightFailed, match=f"{tmp_path} has 0.0 GB free.*PAVANE_STATE_DIR"):
        preflight.check("core", StateDir(tmp_path / "not" / "yet"))


def test_a_machine_that_lets_no_more_files_be_watched_is_told_before_programs_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "spare_watchers", lambda _: 3)

    with pytest.raises(
        PreflightFailed, match=r"3 of the .* core stack needs 16.*sysctl fs.inotify"
    ):
        preflight.check("core", StateDir(tmp_path))


def test_what_is_tried_of_file_watching_is_given_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    assert spare_watchers(2) <= 2
    assert len(list(Path("/proc/self/fd").iterdir())) == before

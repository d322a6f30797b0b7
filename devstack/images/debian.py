"""Makes base images by unpacking Debian packages."""

import asyncio
import contextlib
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path

from devstack.errors import DevstackError
from devstack.images.layers import (
    archive_of,
    empty,
    manifest_path,
    pack_layer,
    write_image,
)
from devstack.images.recipes import SUITE, Recipe

_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_LAST_WORDS = 600


async def make(recipe: Recipe, cache: Path) -> Path:
    """The folder with the packed image, made now if the cache does not have it.

    An interrupted attempt leaves nothing that would be taken for an image.

    Raises:
        DevstackError: the packages could not be had.
    """
    folder = cache / f"{recipe.repository.replace('/', '-')}-{recipe.key}"
    if manifest_path(folder).exists():
        return folder
    partial = folder.with_suffix(".partial")
    empty(partial)
    packages = partial / "packages.tar"
    await _unpack(recipe, packages)
    await asyncio.to_thread(_pack, recipe, packages, partial)
    packages.unlink()
    with contextlib.suppress(OSError):
        # Another stack may have made the same image meanwhile; either is good.
        partial.rename(folder)
    return folder


async def _unpack(recipe: Recipe, target: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        "--aptopt=Acquire::Languages none",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.excluded),
        f"--include={','.join(recipe.packages)}",
        SUITE,
        str(target),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        words = output.decode(errors="replace")[-_LAST_WORDS:].strip()
        message = f"{recipe.repository} could not be made from Debian packages: {words}"
        raise DevstackError(message)


def _pack(recipe: Recipe, packages: Path, folder: Path) -> None:
    with packages.open("rb") as archive:
        base = pack_layer(archive, folder)
    files = {name: text.encode() for name, text in recipe.files.items()}
    files[_CERTIFICATES] = _certificates(packages)
    own = pack_layer(archive_of(files, recipe.links), folder)
    write_image(folder, [base, own], recipe.settings(), platform.machine())


def _certificates(packages: Path) -> bytes:
    """The bundle that the package's own script, which was not run, would have made."""
    found: Mapping[str, bytes] = {}
    with tarfile.open(packages) as archive:
        found = {
            member.name: file.read()
            for member in archive
            if member.name.endswith(".crt")
            and "share/ca-certificates/" in member.name
            and (file := archive.extractfile(member)) is not None
        }
    return b"".join(found[name] for name in sorted(found))

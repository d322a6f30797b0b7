"""Makes base images by unpacking Debian packages."""

import platform
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from devstack.context import Programs
from devstack.errors import DevstackError
from devstack.images.layers import add_files, complete, pack_layer, write_image
from devstack.images.recipes import SUITE, Recipe

_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_LAST_WORDS = 600
_KEEP_NAMES = """
mkdir -p "$1/var/lib/dpkg/status.d"
for package in "$1"/var/cache/apt/archives/*.deb; do
  name=${package##*/}
  dpkg-deb --field "$package" >"$1/var/lib/dpkg/status.d/${name%%_*}"
done
"""
# What is unpacked, for those who list what is in an image: nothing is installed, so dpkg has no
# list of its own. Images without a package manager keep theirs in the same place.


def make(recipe: Recipe, cache: Path, programs: Programs) -> Path:
    """The folder with the packed image, made now if the cache does not have it; takes a while.

    Raises:
        DevstackError: the packages could not be had.
    """
    folder = cache / f"{recipe.repository.replace('/', '-')}-{recipe.key}"
    complete(folder, lambda partial: _fill(recipe, partial, programs))
    return folder


def _fill(recipe: Recipe, folder: Path, programs: Programs) -> None:
    packages = folder / "packages.tar"
    _unpack(recipe, packages)
    files: dict[str, bytes | Path] = {name: text.encode() for name, text in recipe.files.items()}
    files[_CERTIFICATES] = _certificates(packages)
    files |= {path: programs.path(name).resolve() for path, name in recipe.programs.items()}
    # One layer, not two: a build without privileges copies everything once for each layer.
    with tarfile.open(packages, "a") as archive:
        there = {PurePosixPath(name) for name in archive.getnames()}
        folders = [name for name in recipe.folders if PurePosixPath(name) not in there]
        add_files(archive, files, recipe.links, folders)
    with packages.open("rb") as whole:
        layer = pack_layer(whole, folder)
    packages.unlink()
    write_image(folder, [layer], recipe.settings(), platform.machine())


def _unpack(recipe: Recipe, target: Path) -> None:
    result = subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=extract",
            "--aptopt=Acquire::Languages none",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in _unwanted(recipe)),
            f"--include={','.join(recipe.packages)}",
            f"--extract-hook={_KEEP_NAMES}",
            SUITE,
            str(target),
        ],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if result.returncode != 0:
        words = result.stderr[-_LAST_WORDS:].strip()
        message = f"{recipe.repository} could not be made from Debian packages: {words}"
        raise DevstackError(message)


def _unwanted(recipe: Recipe) -> list[str]:
    """What packages must not bring: a layer that has a path twice is refused by some programs."""
    own = (_CERTIFICATES, *recipe.files, *recipe.links)
    return [*recipe.excluded, *(f"/{name}" for name in own)]


def _certificates(packages: Path) -> bytes:
    """The bundle that the package's own script, which was not run, would have made."""
    with tarfile.open(packages) as archive:
        found = {
            member.name: file.read()
            for member in archive
            if member.name.endswith(".crt")
            and "share/ca-certificates/" in member.name
            and (file := archive.extractfile(member)) is not None
        }
    return b"".join(found[name] for name in sorted(found))

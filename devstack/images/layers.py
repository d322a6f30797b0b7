"""Packs files into an image of the Open Container Initiative's format."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CHUNK = 1 << 20
_FASTEST = 1
_EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Layer:
    """One packed layer."""

    digest: str
    size: int
    unpacked: str
    """The digest of the archive before it was packed."""


def pack_layer(archive: BinaryIO, folder: Path) -> Layer:
    """Packs an archive into the folder, named by its digest; fast rather than small."""
    partial = folder / "layer.partial"
    unpacked = hashlib.sha256()
    # No name and no time in the head, so that equal archives give equal layers.
    with (
        partial.open("wb") as target,
        gzip.GzipFile("", "wb", _FASTEST, target, mtime=0) as zipped,
    ):
        while chunk := archive.read(_CHUNK):
            unpacked.update(chunk)
            zipped.write(chunk)
    with partial.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    size = partial.stat().st_size
    partial.replace(blob_path(folder, digest))
    return Layer(digest, size, f"sha256:{unpacked.hexdigest()}")


def write_image(
    folder: Path, layers: Sequence[Layer], settings: Mapping[str, object], machine: str
) -> None:
    """Completes the image in the folder: its configuration, and the manifest that names it all.

    The manifest comes last: a folder with a manifest is a whole image.
    """
    config = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": dict(settings),
        "rootfs": {"type": "layers", "diff_ids": [layer.unpacked for layer in layers]},
        "history": [{"created_by": "pavane"} for _ in layers],
    }
    encoded = json.dumps(config, sort_keys=True).encode()
    blob_path(folder, digest_of(encoded)).write_bytes(encoded)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, digest_of(encoded), len(encoded)),
        "layers": [_descriptor(LAYER_TYPE, layer.digest, layer.size) for layer in layers],
    }
    manifest_path(folder).write_text(json.dumps(manifest, sort_keys=True))


def archive_of(files: Mapping[str, bytes | Path]) -> BinaryIO:
    """An archive of a few files, given by content or by path; equal input gives equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add_files(archive, files)
    buffer.seek(0)
    return buffer


def add_files(
    archive: tarfile.TarFile,
    files: Mapping[str, bytes | Path],
    links: Mapping[str, str] | None = None,
    folders: Iterable[str] = (),
) -> None:
    """Adds folders, files and symbolic links to an archive; files given by path are executables."""
    for name in folders:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, _EXECUTABLE
        archive.addfile(entry)
    for name, source in sorted(files.items()):
        content = source.read_bytes() if isinstance(source, Path) else source
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        entry.mode = _EXECUTABLE if isinstance(source, Path) else 0o644
        archive.addfile(entry, io.BytesIO(content))
    for name, target in sorted((links or {}).items()):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        archive.addfile(entry)


def digest_of(content: bytes) -> str:
    """The digest of some bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob_path(folder: Path, digest: str) -> Path:
    """Where a packed image keeps one of its parts."""
    return folder / digest.removeprefix("sha256:")


def manifest_path(folder: Path) -> Path:
    """Where a packed image keeps its manifest."""
    return folder / "manifest.json"


def complete(folder: Path, fill: Callable[[Path], None]) -> None:
    """Makes sure that the folder holds a whole image, which `fill` makes when it is not there yet.

    An interrupted attempt, or another one at the same time, does no harm.
    """
    if manifest_path(folder).exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as name:
        partial = Path(name) / "image"
        partial.mkdir()
        fill(partial)
        with contextlib.suppress(OSError):
            # Someone else may have been faster; their image is as good.
            partial.rename(folder)


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest, "size": size}

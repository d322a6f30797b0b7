"""Packs files into an image of the Open Container Initiative's format."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
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
    with partial.open("wb") as file, _Hashing(file) as packed:
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=_FASTEST, mtime=0) as zipped:
            while chunk := archive.read(_CHUNK):
                unpacked.update(chunk)
                zipped.write(chunk)
    digest = packed.digest
    partial.replace(blob_path(folder, digest))
    return Layer(digest, packed.size, f"sha256:{unpacked.hexdigest()}")


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


def archive_of(
    files: Mapping[str, bytes | Path], links: Mapping[str, str] | None = None
) -> BinaryIO:
    """An archive of a few files, given by content or by path, and of symbolic links.

    Files given by path are executables. Equal input gives equal bytes.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
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
    buffer.seek(0)
    return buffer


def digest_of(content: bytes) -> str:
    """The digest of some bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob_path(folder: Path, digest: str) -> Path:
    """Where a packed image keeps one of its parts."""
    return folder / digest.removeprefix("sha256:")


def manifest_path(folder: Path) -> Path:
    """Where a packed image keeps its manifest."""
    return folder / "manifest.json"


def empty(folder: Path) -> None:
    """Makes sure that the folder is there and nothing is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest, "size": size}


class _Hashing(io.RawIOBase):
    """Counts and hashes what is written through it."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._hash.update(data)
        self.size += len(data)
        return self._target.write(data)

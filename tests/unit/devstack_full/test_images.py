"""Packed images: complete or not there, and equal for equal content."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from devstack.images.layers import (
    archive_of,
    blob_path,
    complete,
    manifest_path,
    pack_layer,
    write_image,
)
from devstack.images.recipes import BUILDER, PYTHON

pytestmark = pytest.mark.unit


def fill(folder: Path) -> None:
    layer = pack_layer(archive_of({"bin/tool": b"content"}), folder)
    write_image(folder, [layer], {"Cmd": ["/bin/tool"]}, "x86_64")


def test_every_part_of_an_image_is_what_its_digest_says(tmp_path: Path) -> None:
    fill(tmp_path)

    manifest = json.loads(manifest_path(tmp_path).read_text())
    for part in (manifest["config"], *manifest["layers"]):
        content = blob_path(tmp_path, part["digest"]).read_bytes()
        assert part["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert part["size"] == len(content)
    with tarfile.open(blob_path(tmp_path, manifest["layers"][0]["digest"])) as archive:
        assert archive.getnames() == ["bin/tool"]


def test_equal_content_gives_an_equal_image(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        fill(tmp_path / name)

    assert (
        manifest_path(tmp_path / "one").read_text() == manifest_path(tmp_path / "two").read_text()
    )


def test_an_interrupted_attempt_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    folder = tmp_path / "image"

    def fail(partial: Path) -> None:
        (partial / "half").write_text("half of it")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        complete(folder, fail)
    assert not list(tmp_path.iterdir())

    complete(folder, fill)
    assert manifest_path(folder).exists()


def test_a_complete_image_is_not_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "image"
    complete(folder, fill)

    def never(_: Path) -> None:
        pytest.fail("the image was there")

    complete(folder, never)


def test_the_name_in_the_cache_follows_the_content() -> None:
    assert PYTHON.key != BUILDER.key
    assert len(PYTHON.key) == 16

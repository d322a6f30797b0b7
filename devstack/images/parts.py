"""The steps that put the images where they are needed: into the registry and onto the node."""

import asyncio
import platform
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from devstack.component import Part, Step
from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.images import debian
from devstack.images.layers import archive_of, complete, pack_layer, write_image
from devstack.images.names import (
    BUILDER_SETTING,
    EXECUTOR_REPOSITORY,
    PAUSE_REPOSITORY,
    REGISTRY,
    RUNTIME_SETTING,
    builder_image,
    executor_image,
    registry_url,
    runtime_image,
)
from devstack.images.push import push
from devstack.images.recipes import BUILDER, PYTHON, Recipe
from devstack.node.layout import CONTAINERD_SOCKET
from devstack.node.names import CONTAINERD
from devstack.node.namespaces import node_of
from devstack.programs.store import default_root
from devstack.together import together

OWN_IMAGES = "own-images"
BASE_IMAGES = "base-images"
NODE_IMAGES = "node-images"
_TAG = "1"
_COLD = timedelta(minutes=10)
_LAST_WORDS = 300


def parts(context: StackContext) -> Sequence[Part]:
    """Own images first, for no pod starts without them; then those that builds need."""
    return [
        Step(OWN_IMAGES, run=lambda: _own_images(context), needs=(REGISTRY,)),
        Step(BASE_IMAGES, run=lambda: _base_images(context), needs=(REGISTRY,), timeout=_COLD),
        Step(
            NODE_IMAGES,
            run=lambda: _fetch(context),
            needs=(CONTAINERD, OWN_IMAGES, BASE_IMAGES),
            timeout=_COLD,
        ),
    ]


async def _own_images(context: StackContext) -> None:
    await together(
        _own_image(context, PAUSE_REPOSITORY, "pause", "pause"),
        _own_image(context, EXECUTOR_REPOSITORY, "argoexec", "bin/argoexec"),
    )


async def _own_image(context: StackContext, repository: str, program: str, target: str) -> None:
    """Packs one static program into an image of its own, again only when the program changed."""
    executable = context.programs.path(program).resolve()
    folder = _cache() / f"{program}-{_fingerprint(executable)}"
    await asyncio.to_thread(complete, folder, lambda partial: _pack(executable, target, partial))
    await push(folder, registry_url(context), repository, _TAG)


def _pack(executable: Path, target: str, folder: Path) -> None:
    files: dict[str, bytes | Path] = {target: executable}
    files["etc/nsswitch.conf"] = b"hosts: files dns\n"
    layer = pack_layer(archive_of(files), folder)
    settings = {"Entrypoint": [f"/{target}"], "Env": ["PATH=/bin:/usr/bin"]}
    write_image(folder, [layer], settings, platform.machine())


def _fingerprint(executable: Path) -> str:
    status = executable.stat()
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


async def _base_images(context: StackContext) -> None:
    wanted = [
        recipe
        for recipe, setting in ((PYTHON, RUNTIME_SETTING), (BUILDER, BUILDER_SETTING))
        if setting not in context.settings
    ]
    await together(*(_base_image(context, recipe) for recipe in wanted))


async def _base_image(context: StackContext, recipe: Recipe) -> None:
    folder = await asyncio.to_thread(debian.make, recipe, _cache(), context.programs)
    await push(folder, registry_url(context), recipe.repository, recipe.tag)


def _cache() -> Path:
    return default_root().parent / "images"


async def _fetch(context: StackContext) -> None:
    """Puts images onto the node before a pod waits for them."""
    # What is there already, unchanged, costs one question to the registry.
    images = (executor_image(context), builder_image(context), runtime_image(context))
    await together(*(_ctr(context, "images", "pull", "--plain-http", image) for image in images))


async def _ctr(context: StackContext, *arguments: str) -> None:
    program = str(context.programs.path("ctr"))
    command = (program, "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", *arguments)
    process = await asyncio.create_subprocess_exec(
        *node_of(context).inside(*command)(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        words = errors.decode(errors="replace")[-_LAST_WORDS:].strip()
        message = f"containerd did not do {' '.join(arguments)}: {words}"
        raise DevstackError(message)

"""The names of the images that the stack makes and serves itself."""

from devstack.context import StackContext

REGISTRY = "registry"
PYTHON_VERSION = "3.11"
BUILDER_REPOSITORY = "base/builder"
BUILDER_TAG = "2"
PYTHON_REPOSITORY = "base/python"
PAUSE_REPOSITORY = "pavane/pause"
EXECUTOR_REPOSITORY = "pavane/argoexec"
BUILDER_SETTING = "builder_image"
"""PAVANE_STACK_BUILDER_IMAGE names an image to use in place of our own."""
RUNTIME_SETTING = "runtime_image"
"""PAVANE_STACK_RUNTIME_IMAGE names an image to use in place of our own."""


def registry_host(context: StackContext) -> str:
    """Host and port of the registry, as in the names of images."""
    return f"{context.network.host}:{context.ports[REGISTRY]}"


def registry_url(context: StackContext) -> str:
    """The address of the registry's API."""
    return f"http://{registry_host(context)}"


def pause_image(context: StackContext) -> str:
    """The image that holds the namespaces of each pod."""
    return f"{registry_host(context)}/{PAUSE_REPOSITORY}:1"


def executor_image(context: StackContext) -> str:
    """The image Argo adds to each pod of a workflow."""
    return f"{registry_host(context)}/{EXECUTOR_REPOSITORY}:1"


def builder_image(context: StackContext) -> str:
    """The image in which commits are built: git, buildah, syft."""
    ours = f"{registry_host(context)}/{BUILDER_REPOSITORY}:{BUILDER_TAG}"
    return context.settings.get(BUILDER_SETTING, ours)


def runtime_image(context: StackContext) -> str:
    """The image that sample services start from: Python and what it needs."""
    ours = f"{registry_host(context)}/{PYTHON_REPOSITORY}:{PYTHON_VERSION}"
    return context.settings.get(RUNTIME_SETTING, ours)

"""What a full stack has besides its node: scheduling, names, metrics, builds, images, a gateway."""

import json
from collections.abc import Sequence

from devstack import images
from devstack.component import Part
from devstack.context import StackContext
from devstack.images.names import (
    EXECUTOR_REPOSITORY,
    builder_image,
    registry_host,
    registry_url,
    runtime_image,
)
from devstack.services import (
    argo,
    dns,
    gateway,
    git,
    metrics,
    objects,
    prometheus,
    registry,
    scheduler,
)

__all__ = ["environment", "parts"]


def parts(context: StackContext) -> Sequence[Part]:
    """Every service, and the images they serve."""
    return [
        *registry.parts(context),
        *images.parts(context),
        *objects.parts(context),
        *scheduler.parts(context),
        *dns.parts(context),
        *metrics.parts(context),
        *argo.parts(context),
        *gateway.parts(context),
        *prometheus.parts(context),
        *git.parts(context),
    ]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to the services."""
    return {
        "PAVANE_REGISTRY__URL": registry_url(context),
        "PAVANE_REGISTRY__PULL_HOST": registry_host(context),
        # Argo adds its executor to the pods of every organization, also to the tests of gates.
        "PAVANE_REGISTRY__COMMON": json.dumps(["base", EXECUTOR_REPOSITORY]),
        "PAVANE_GATEWAY__URL": gateway.gateway_url(context),
        "PAVANE_GATEWAY__NAME": gateway.NAME,
        "PAVANE_GATEWAY__NAMESPACE": gateway.NAMESPACE,
        "PAVANE_PROMETHEUS__URL": prometheus.prometheus_url(context),
        "PAVANE_GIT__URL": git.git_url(context),
        "PAVANE_BUILD__BUILDER_IMAGE": builder_image(context),
        "PAVANE_BUILD__RUNTIME_IMAGE": runtime_image(context),
    }

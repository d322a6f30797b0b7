"""Renders a build: what the namespace of an organization's builds needs, and the Argo Workflow.

One pod does all stages. A pod a stage would cost several seconds each and a volume to hand the
image on; here the stages tell their times in the log and in a report. The script is a file of its
own (``build_template/docker-build.sh``); nothing that a user wrote is ever part of it.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.deliveries import BuildPlan
from domain.errors import InvalidRequest
from domain.rendering.build_namespace import TRUST_CONFIG_MAP, TRUST_KEY, build_namespace
from domain.rendering.labels import COMMIT, COMPONENT, MANAGED_BY, ORGANIZATION, PROJECT, in_order

SCRIPT = files("domain.rendering.build_template").joinpath("docker-build.sh").read_text("utf-8")
SCRIPT_DIGEST = f"sha256:{hashlib.sha256(SCRIPT.encode()).hexdigest()}"
DOCKER_BUILD = "docker-build"
MAIN_CONTAINER = "main"
"""The container whose log is the log of the build; Argo's name for it."""

PULL_SECRET = "pavane-pull"  # noqa: S105 - the name of a Secret
"""What nodes pull the builder image with, in the namespace of an organization's builds."""

_REPOSITORY = re.compile(r"(https?|ssh)://[^\s-]\S*")
_WORK = "/pavane/work"
_TRUST = "/pavane/trust"
_OUTPUT = "/tmp/pavane"  # noqa: S108 - in the build pod's own file system
_TAG_LENGTH = 12
_KEPT_AFTER_COMPLETION = 24 * 3600
_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT")


class BuilderSettings(BaseModel):
    """How builds of an installation run, whatever is built."""

    model_config = ConfigDict(frozen=True)

    builder_image: str
    """Image with bash, git and buildah."""
    insecure: bool = False
    """The registry that images are pushed to speaks plain HTTP."""
    cache: bool = True
    """Keep layers beside the images, for the next build of the component."""
    build_arguments: dict[str, str] = {}
    """Offered to Dockerfiles; one that does not declare an argument does not get it."""
    trust_bundle: str = ""
    """CA certificates (PEM) that build pods trust; empty = those of the builder image."""
    scan_command: tuple[str, ...] = ()
    """Judges an image by its SBOM, whose path is added; run in the builder image. Empty = none."""
    scan_refuses: tuple[int, ...] = (1, 2)
    """Exit codes by which the scanner refuses an image; 0 passes it, others are no verdict."""
    storage_driver: str = "vfs"
    """How buildah stores layers."""
    cpu_request: str = "250m"
    memory_request: str = "256Mi"
    memory_limit: str = "4Gi"
    workspace_limit: str = "20Gi"
    """Most disk that source and layers may take."""


class RenderedBuild(BaseModel):
    """What is applied before a build, and the build itself."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    setup: tuple[dict[str, Any], ...]
    """Shared by all builds of the organization, in the order in which they are applied."""
    workflow: dict[str, Any]
    """The Argo Workflow. To be created, not applied: one that is there already is adopted."""
    template_digest: str
    """``sha256:...`` of the script."""


def render_build(plan: BuildPlan, settings: BuilderSettings) -> RenderedBuild:
    """Returns the objects of a build. Pure: equal arguments give byte-equal objects.

    Raises:
        InvalidRequest: The template is unknown, or a value cannot be handed on safely.
    """
    if plan.template != DOCKER_BUILD:
        raise InvalidRequest(
            f"component {plan.component}: there is no build template {plan.template}, "
            f"only {DOCKER_BUILD}"
        )
    if not _REPOSITORY.fullmatch(plan.repository):
        raise InvalidRequest(
            f"component {plan.component}: repository must be an http(s) or ssh URL"
        )
    namespace = ids.build_namespace(plan.organization)
    (workflow,) = in_order([_workflow(plan, settings, namespace)])
    return RenderedBuild(
        namespace=namespace,
        setup=in_order(
            build_namespace(
                namespace, plan.organization, plan.service_account, settings.trust_bundle
            )
        ),
        workflow=workflow,
        template_digest=SCRIPT_DIGEST,
    )


def cache_repository(image: str) -> str:
    """Returns where the layers of an image's builds are kept: beside it, under ``cache/``."""
    host, _, path = image.partition("/")
    return f"{host}/cache/{path}"


def _workflow(plan: BuildPlan, settings: BuilderSettings, namespace: str) -> dict[str, Any]:
    labels = {
        MANAGED_BY: ids.FIELD_MANAGER,
        ORGANIZATION: plan.organization,
        PROJECT: plan.project,
        COMPONENT: plan.component,
        COMMIT: plan.commit[:_TAG_LENGTH],
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": plan.name, "namespace": namespace, "labels": labels},
        "spec": {
            "entrypoint": "build",
            "serviceAccountName": plan.service_account,
            # The user's commands run beside Argo's sidecar: only that one gets a token.
            "automountServiceAccountToken": False,
            "executor": {"serviceAccountName": plan.service_account},
            "activeDeadlineSeconds": plan.timeout_seconds,
            "podGC": {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "600s"},
            "podMetadata": {"labels": labels},
            "ttlStrategy": {"secondsAfterCompletion": _KEPT_AFTER_COMPLETION},
            "volumes": _volumes(settings),
            **({"imagePullSecrets": [{"name": PULL_SECRET}]} if plan.pull_path else {}),
            "templates": [
                {
                    "name": "build",
                    "container": _container(plan, settings),
                    "outputs": {"parameters": [_output("report"), _output("tests")]},
                }
            ],
        },
    }


def _container(plan: BuildPlan, settings: BuilderSettings) -> dict[str, Any]:
    mounts = [{"name": "work", "mountPath": _WORK}]
    if settings.trust_bundle:
        mounts.append({"name": "trust", "mountPath": _TRUST})
    return {
        "image": settings.builder_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "-c", SCRIPT, DOCKER_BUILD],
        "env": [
            {"name": name, "value": _untemplated(plan, name, value)}
            for name, value in sorted(_variables(plan, settings).items())
        ],
        "resources": {
            "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request},
            "limits": {"memory": settings.memory_limit},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": list(_CAPABILITIES)},
            "runAsUser": 0,
        },
        "volumeMounts": mounts,
    }


def _variables(plan: BuildPlan, settings: BuilderSettings) -> dict[str, str]:
    arguments = (f"{name}={value}" for name, value in sorted(settings.build_arguments.items()))
    return {
        "PAVANE_REPOSITORY": plan.repository,
        "PAVANE_COMMIT": plan.commit,
        "PAVANE_CONTEXT": plan.context,
        "PAVANE_DOCKERFILE": plan.dockerfile,
        "PAVANE_BUILD_ARGUMENTS": _packed(plan, arguments),
        "PAVANE_TEST_COMMAND": _packed(plan, plan.test_command),
        "PAVANE_IMAGE": plan.image,
        "PAVANE_TAG": plan.commit[:_TAG_LENGTH],
        "PAVANE_CACHE": cache_repository(plan.image) if settings.cache else "",
        "PAVANE_INSECURE": "true" if settings.insecure else "false",
        "PAVANE_SCAN_COMMAND": _packed(plan, settings.scan_command),
        "PAVANE_SCAN_REFUSES": " ".join(str(code) for code in settings.scan_refuses),
        "PAVANE_STORAGE_DRIVER": settings.storage_driver,
        "PAVANE_TRUST": f"{_TRUST}/{TRUST_KEY}" if settings.trust_bundle else "",
        "PAVANE_WORK": _WORK,
        "PAVANE_OUTPUT": _OUTPUT,
    }


def _volumes(settings: BuilderSettings) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": "work", "emptyDir": {"sizeLimit": settings.workspace_limit}}
    ]
    if settings.trust_bundle:
        volumes.append({"name": "trust", "configMap": {"name": TRUST_CONFIG_MAP}})
    return volumes


def _output(name: str) -> dict[str, Any]:
    # The default stands in for a pod that was killed before it could write the file.
    return {"name": name, "valueFrom": {"path": f"{_OUTPUT}/{name}", "default": ""}}


def _packed(plan: BuildPlan, words: Iterable[str]) -> str:
    """Returns words in a form that neither a shell nor Argo's templates look into."""
    listed = list(words)
    if any("\0" in word for word in listed):
        raise InvalidRequest(f"component {plan.component}: a command contains a NUL character")
    return b64encode("".join(f"{word}\0" for word in listed).encode()).decode()


def _untemplated(plan: BuildPlan, name: str, value: str) -> str:
    """Refuses what Argo would take for one of its templates and fill in."""
    if "{{" in value:
        field = name.removeprefix("PAVANE_").lower()
        raise InvalidRequest(f"component {plan.component}: {field} must not contain '{{{{'")
    return value

"""Where a session has its configuration from: a file of this process, or who keeps credentials."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from clients.kubernetes.errors import cut
from domain.errors import Errored


class Withdrawn(Exception):
    """There are no usable credentials any more: what was made with them must not be used on."""


class Source(Protocol):
    """Gives the configuration of a session."""

    what: str
    """What the credentials are called in messages, when they may still come or be mended: then all
    that fails for want of them is worth another try. Empty = they are those of this process."""

    async def read(self, known: Configuration | None) -> Configuration:
        """Returns the configuration as it is now.

        It is ``known`` itself when open connections may be used on, another object when they must
        not.

        Raises:
            Withdrawn: There is none any more.
            Errored: There is no usable configuration; what was made with it before may be used on.
            DependencyUnavailable: Whoever keeps it does not answer; likewise.
        """
        ...


class FileSource:
    """A kubeconfig, or the service account of the pod."""

    what = ""

    def __init__(self, file: str, context: str | None) -> None:
        """Empty file = the pod's service account, else the user's kubeconfig."""
        self._file = file
        self._context = context

    async def read(self, known: Configuration | None) -> Configuration:
        """Reads the file; tokens of files and plugins expire."""
        configuration = known or Configuration()
        try:
            if self._file:
                await load_kube_config(  # type: ignore[no-untyped-call]  # the package has none
                    config_file=self._file,
                    context=self._context,
                    client_configuration=configuration,
                )
            elif os.environ.get("KUBERNETES_SERVICE_HOST"):
                await asyncio.to_thread(load_incluster_config, client_configuration=configuration)
            else:
                await load_kube_config(  # type: ignore[no-untyped-call]  # the package has none
                    context=self._context, client_configuration=configuration
                )
        except (ConfigException, OSError) as error:
            where = self._file or "of this process"
            raise Errored(f"Kubernetes configuration {where}: {cut(str(error))}") from error
        return configuration

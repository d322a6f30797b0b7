"""What every part of a worker needs that lets one process of many act."""

from __future__ import annotations

import logging
import os
import socket
from uuid import uuid4

from clients.kubernetes import Cluster, Kind
from clients.kubernetes.backoff import Backoff
from domain.errors import Conflict, PlatformError

_LOG = logging.getLogger(__name__)
LEASE_NAMESPACE = "pavane-system"
_NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


def process_identity() -> str:
    """Returns a name that differs between processes."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"


async def ensure_namespace(cluster: Cluster, namespace: str, who: str) -> None:
    """Returns when the namespace of the Lease exists; tries for as long as it takes.

    An installation has it, and who runs there need not have the right to make one.
    """
    backoff = Backoff()
    while True:
        try:
            if await cluster.find(_NAMESPACES, namespace):
                return
            await cluster.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            )
        except Conflict:
            return
        except PlatformError as error:
            _LOG.warning("%s cannot begin, trying again: %s", who, error)
            await backoff.wait()
        else:
            return

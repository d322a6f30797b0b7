"""The Kubernetes API of one cluster, as raw JSON over one shared HTTP session.

Generated model classes are not used: they cost several times the request itself. Start with
``Cluster``; ``SharedWatches`` gives many callers one watch per kind, ``pod_logs`` reads logs and
``Leader`` elects one process of many.
"""

from __future__ import annotations

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.errors import Expired
from clients.kubernetes.given import Given, GivenCluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.lease import Leader
from clients.kubernetes.listing import Listing
from clients.kubernetes.logs import lines, pod_logs
from clients.kubernetes.shared import SharedWatch, SharedWatches
from clients.kubernetes.watch import Object, WatchEvent

__all__ = [
    "Cluster",
    "Expired",
    "Given",
    "GivenCluster",
    "Kind",
    "Leader",
    "Listing",
    "Object",
    "SharedWatch",
    "SharedWatches",
    "WatchEvent",
    "lines",
    "pod_logs",
]

"""Large things by key: a local folder or S3, and logs that grow while they are read."""

from __future__ import annotations

from clients.objects.archive import LogArchive, tail
from clients.objects.store import ObjectStore

__all__ = ["LogArchive", "ObjectStore", "tail"]

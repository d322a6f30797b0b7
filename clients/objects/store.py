"""Puts, gets and lists whole objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore, from_url
from obstore.store import ObjectStore as Backend

from domain.errors import Conflict, DependencyUnavailable, Errored, InvalidRequest, NotFound

_TIMEOUT = timedelta(seconds=30)
_RETRY_FOR = timedelta(seconds=20)


@dataclass(frozen=True)
class ObjectInfo:
    """An object without its content."""

    key: str
    size: int


class ObjectStore:
    """One folder or bucket. Made by ``open``, shared by everybody."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    def open(cls, url: str) -> Self:
        """Opens ``file:///folder`` (made when missing), ``s3://bucket/prefix`` or ``memory:///``.

        Credentials of S3 come from the environment, as its own tools read them.

        Raises:
            InvalidRequest: The URL names no store that can be used.
        """
        parts = urlsplit(url)
        try:
            if parts.scheme == "file":
                folder = Path(unquote(parts.path))
                return cls(LocalStore(folder, mkdir=True, automatic_cleanup=True))
            if parts.scheme == "memory":
                return cls(from_url(url))
            return cls(
                from_url(
                    url,
                    client_options={"timeout": _TIMEOUT, "connect_timeout": _TIMEOUT / 3},
                    retry_config={"max_retries": 5, "retry_timeout": _RETRY_FOR},
                )
            )
        except (exceptions.BaseError, ValueError, OSError) as error:
            raise InvalidRequest(
                f"object store {parts.scheme}://{parts.netloc}: unusable"
            ) from error

    async def close(self) -> None:
        """Lets go of the store. It has no connections that need an orderly end."""
        del self._backend

    async def put(self, key: str, content: bytes, *, overwrite: bool = True) -> None:
        """Writes an object whole: readers see the old one or the new one.

        Raises:
            Conflict: There is one and ``overwrite`` is False.
        """
        mode: Literal["overwrite", "create"] = "overwrite" if overwrite else "create"
        with _translated(key):
            await obstore.put_async(self._backend, key, content, mode=mode, use_multipart=False)

    async def get(self, key: str) -> bytes:
        """Reads an object.

        Raises:
            NotFound: There is none.
        """
        with _translated(key):
            result = await obstore.get_async(self._backend, key)
            return bytes(await result.bytes_async())

    async def has(self, key: str) -> bool:
        """Tells whether there is an object."""
        try:
            with _translated(key):
                await obstore.head_async(self._backend, key)
        except NotFound:
            return False
        return True

    async def list(self, prefix: str) -> list[ObjectInfo]:
        """Returns the objects below ``prefix/``, by key."""
        found: list[ObjectInfo] = []
        with _translated(prefix):
            async for batch in obstore.list(self._backend, prefix):
                found += [ObjectInfo(entry["path"], entry["size"]) for entry in batch]
        return sorted(found, key=lambda info: info.key)

    async def delete(self, key: str) -> None:
        """Deletes an object; nothing happens when there is none."""
        try:
            with _translated(key):
                await obstore.delete_async(self._backend, key)
        except NotFound:
            return


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise NotFound(f"object {key}: not found") from error
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
        raise Conflict(f"object {key}: already exists") from error
    except (exceptions.InvalidPathError, ValueError) as error:
        raise InvalidRequest(f"object {key!r}: not a key") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise Errored(f"object {key}: the store does not let the platform in") from error
    except (exceptions.BaseError, OSError) as error:
        raise DependencyUnavailable(f"object {key}: the store did not answer") from error

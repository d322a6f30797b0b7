"""Lost races on an API server: which of them are merely to be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clients.kubernetes.watch import Object, resource_version
from domain.errors import DependencyUnavailable, StaleRevision


@contextmanager
def unconditional(change: Object) -> Iterator[None]:
    """Makes a lost race retryable where the change does not depend on a version of the object.

    API servers repeat such a change themselves, but only a few times; then they answer 409.

    Raises:
        DependencyUnavailable: Others changed the object in the same moment, again and again.
        StaleRevision: The change names the version it is meant for, and that is gone.
    """
    try:
        yield
    except StaleRevision as error:
        if resource_version(change):
            raise
        raise DependencyUnavailable(f"{error.message} (others write it all the time)") from error

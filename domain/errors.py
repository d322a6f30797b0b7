"""Every error a caller of Pavane can get.

    PlatformError
      InvalidRequest              the caller must change something
      NotFound
      Conflict                    already running, or changed underneath
        OperationInProgress
        StaleRevision
        FieldConflict             another manager owns the fields
      Unauthenticated
      Denied                      a policy said no, with reasons
        FreezeActive              a freeze began that wants undone what is under way
        Superseded                a newer request took the place
        Stopped                   an emergency stop holds
      Failed                      it was tried and did not pass
        BuildFailed
        RolloutFailed
        RunFailed                 a scheduled task
        VerificationFailed
      Errored                     a technical fault
        DependencyUnavailable     retried
        RateLimited               retried after the delay the other side named
        CompensationFailed        a person is needed

The class name is the wire type: activities and workflows raise these and the callers see an
``ApplicationError`` whose ``type`` is the name. ``retryable`` says whether an activity is tried
again; ``benign`` says whether the outcome is expected and so not an alarm. Messages name the
subject, the place and the fact, and never contain a secret.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

__all__ = [
    "BuildFailed",
    "CompensationFailed",
    "Conflict",
    "Denied",
    "DependencyUnavailable",
    "Errored",
    "Failed",
    "FieldConflict",
    "FreezeActive",
    "InvalidRequest",
    "NotFound",
    "OperationInProgress",
    "PlatformError",
    "RateLimited",
    "RolloutFailed",
    "RunFailed",
    "StaleRevision",
    "Stopped",
    "Superseded",
    "Unauthenticated",
    "VerificationFailed",
    "by_type",
]


class PlatformError(Exception):
    """The root. Carries optional facts that help the caller, all of them safe to show."""

    retryable: ClassVar[bool] = False
    benign: ClassVar[bool] = False

    def __init__(self, message: str, *, facts: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, str] = facts or {}
        """Named details, such as the fields of a conflict or the last lines of a log. ``advice``
        is what the person can do about it, where the kind of error alone does not say."""


class InvalidRequest(PlatformError):
    """The request cannot be carried out until the caller changes it."""


class NotFound(PlatformError):
    """The named thing does not exist, or the caller may not know that it does."""


class Conflict(PlatformError):
    """The state of the world contradicts the request."""


class OperationInProgress(Conflict):
    """The same thing is already being done."""


class StaleRevision(Conflict):
    """The thing was changed since the caller read it."""


class FieldConflict(Conflict):
    """Another field manager owns fields that would be written; ``facts`` names them."""


class Unauthenticated(PlatformError):
    """The caller did not prove who they are."""


class Denied(PlatformError):
    """A policy said no."""

    benign = True


class FreezeActive(Denied):
    """A freeze began whose policy is that what is under way is undone."""


class Superseded(Denied):
    """A newer request for the same thing took its place."""


class Stopped(Denied):
    """Somebody stopped the place in an emergency; ``facts`` says who, why and since when."""


class Failed(PlatformError):
    """It was tried and did not pass. Trying the same again gives the same answer."""

    benign = True


class BuildFailed(Failed):
    """The user's own build or test did not succeed; ``facts['log']`` has its last lines."""


class RolloutFailed(Failed):
    """The pods of a release did not become ready; ``facts`` has the reason and last lines."""


class RunFailed(Failed):
    """A run of a scheduled task did not succeed; ``facts`` has the reason and last lines."""


class VerificationFailed(Failed):
    """The release runs but a check of it did not pass."""


class Errored(PlatformError):
    """A technical fault that has nothing to do with what was asked."""


class DependencyUnavailable(Errored):
    """A system Pavane needs did not answer, or answered with a fault of its own."""

    retryable = True


class RateLimited(Errored):
    """A system Pavane needs asked to come back later."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta = timedelta(seconds=5),
        facts: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, facts=facts)
        self.retry_after = retry_after
        """How long to wait before the next try."""


class OutOfTurn(RateLimited):
    """Others are first: the same organization has as much under way as it may have."""

    benign = True


class CompensationFailed(Errored):
    """What a failed or cancelled procedure did could not be undone completely."""


def by_type(name: str) -> type[PlatformError] | None:
    """Returns the class whose wire type is ``name``, or None when it is not one of ours."""
    pending: list[type[PlatformError]] = [PlatformError]
    while pending:
        candidate = pending.pop()
        if candidate.__name__ == name:
            return candidate
        pending.extend(candidate.__subclasses__())
    return None

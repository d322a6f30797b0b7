"""Translates between the domain's errors and Temporal's failures; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from domain.errors import Errored, PlatformError, RateLimited, by_type


def as_failure(error: PlatformError) -> ApplicationError:
    """Returns the failure that carries ``error`` through Temporal: type, message and facts."""
    return ApplicationError(
        error.message,
        error.facts,
        type=type(error).__name__,
        non_retryable=not error.retryable,
        next_retry_delay=error.retry_after if isinstance(error, RateLimited) else None,
        category=(
            ApplicationErrorCategory.BENIGN
            if error.benign
            else ApplicationErrorCategory.UNSPECIFIED
        ),
    )


def as_domain_error(failure: BaseException) -> PlatformError:
    """Returns the domain error a failure stands for.

    The outermost cause that is one of ours decides; when none is (a timeout of Temporal, a
    foreign exception) it is ``Errored``, so that nothing technical is mistaken for a verdict.
    """
    cause: BaseException | None = failure
    innermost = failure
    while cause is not None:
        innermost = cause
        if isinstance(cause, PlatformError):
            return cause
        if isinstance(cause, ApplicationError) and (known := by_type(cause.type or "")):
            return known(cause.message, facts=_facts(cause.details))
        cause = cause.__cause__
    if isinstance(innermost, FailureError):
        return Errored(innermost.message)
    return Errored(str(innermost) or type(innermost).__name__)


def _facts(details: Sequence[Any]) -> dict[str, str]:
    first = details[0] if details else None
    return {str(k): str(v) for k, v in first.items()} if isinstance(first, Mapping) else {}


class ErrorInterceptor(Interceptor):
    """Gives each domain error that leaves an activity its wire form."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Wraps the execution of every activity."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except PlatformError as error:
            raise as_failure(error) from error

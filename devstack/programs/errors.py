"""Errors of acquiring programs.

DevstackError
  ProgramUnavailable          no source gave the program
  PackagesMissing             Debian packages are needed and this process may not install them
  Cancelled                   another program failed, or the person gave up
  SourceFailed                one source did not give the program; the next one is tried
"""

from collections.abc import Sequence

from devstack.errors import DevstackError


class SourceFailed(DevstackError):
    """One source did not give the program; says why."""


class Cancelled(DevstackError):
    """The work was given up because another program failed or the person interrupted it."""


class ProgramUnavailable(DevstackError):
    """No source gave the program."""

    def __init__(self, name: str, version: str, reasons: Sequence[str]) -> None:
        """Joins the reason of each source that was tried, one a line."""
        tried = "\n".join(f"  {reason}" for reason in reasons)
        super().__init__(f"{name} {version} could not be acquired:\n{tried}")
        self.name = name
        self.reasons = tuple(reasons)


class PackagesMissing(DevstackError):
    """Debian packages are needed and this process may not, or cannot, install them."""

    def __init__(self, packages: Sequence[str], advice: str) -> None:
        """Names the packages and what to do."""
        super().__init__(f"Debian packages are missing: {' '.join(packages)}\n{advice}")
        self.packages = tuple(packages)

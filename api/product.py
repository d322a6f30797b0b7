"""Which product this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def product_version() -> str:
    """Returns the version of the installed product."""
    try:
        return version("pavane")
    except PackageNotFoundError:
        return "0+uninstalled"

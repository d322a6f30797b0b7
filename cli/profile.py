"""Which API, which organization, which token: the person's own settings, kept between commands.

The environment wins over the file: ``PAVANE_API__URL``, ``PAVANE_ORGANIZATION``, ``PAVANE_TOKEN``.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from cli.errors import ExitCode, Problem, not_logged_in

DEFAULT_URL = "http://127.0.0.1:8090"
_EXPIRY_MARGIN_SECONDS = 5


@dataclass(frozen=True)
class Value:
    """A setting and where it comes from."""

    value: str
    source: str


def folder() -> Path:
    """Returns where the files are."""
    given = os.environ.get("PAVANE_CONFIG_DIR")
    return Path(given) if given else user_config_path("pavane")


class Profile:
    """The settings of the current context."""

    def __init__(self) -> None:
        self._contexts = _read(folder() / "contexts.json")
        self._tokens = _read(folder() / "tokens.json")

    @property
    def context(self) -> str:
        """Name of the current context."""
        return str(self._contexts.get("current") or "default")

    @property
    def contexts(self) -> dict[str, dict[str, str]]:
        """All contexts by name."""
        found: dict[str, dict[str, str]] = self._contexts.get("contexts") or {}
        return found

    @property
    def url(self) -> Value:
        """Where the API is."""
        found = self._setting("url", "PAVANE_API__URL")
        found = found if found.value else Value(DEFAULT_URL, "default")
        return Value(found.value.rstrip("/"), found.source)

    @property
    def organization(self) -> Value:
        """The organization that commands are about; empty when none is set."""
        return self._setting("organization", "PAVANE_ORGANIZATION")

    def _setting(self, name: str, variable: str) -> Value:
        if value := os.environ.get(variable, ""):
            return Value(value, variable)
        value = self.contexts.get(self.context, {}).get(name, "")
        return Value(value, f"context {self.context}" if value else "not set")

    def token(self) -> Value:
        """Returns the token for the API.

        Raises:
            Problem: There is none, or it has expired.
        """
        if value := os.environ.get("PAVANE_TOKEN", ""):
            return Value(value, "PAVANE_TOKEN")
        kept = self._tokens.get(self.url.value)
        if not kept:
            raise not_logged_in(self.url.value)
        if kept["expires"] < time.time() + _EXPIRY_MARGIN_SECONDS:
            raise not_logged_in(self.url.value, expired=True)
        return Value(kept["token"], str(folder() / "tokens.json"))

    def expires(self) -> float | None:
        """Returns when the kept token expires; None when there is none."""
        kept = self._tokens.get(self.url.value)
        return float(kept["expires"]) if kept else None

    def needs_organization(self, given: str) -> str:
        """Returns the organization given on the command line, else that of the context.

        Raises:
            Problem: There is neither.
        """
        if organization := given or self.organization.value:
            return organization
        raise Problem(
            "no organization is given",
            title="Which organization?",
            advice="Add --organization NAME, or `pavane config set-context --organization NAME`.",
            code=ExitCode.USAGE,
        )

    def keep_token(self, token: str, expires: float) -> Path:
        """Keeps a token for the API, readable by its owner only."""
        self._tokens[self.url.value] = {"token": token, "expires": expires}
        return _write(folder() / "tokens.json", self._tokens)

    def forget_token(self) -> bool:
        """Forgets the token for the API; tells whether there was one."""
        known = self._tokens.pop(self.url.value, None) is not None
        if known:
            _write(folder() / "tokens.json", self._tokens)
        return known

    def set_context(self, name: str, **settings: str) -> Path:
        """Makes a context with these settings the current one; empty ones stay as they are."""
        changed = {**self.contexts.get(name, {}), **{k: v for k, v in settings.items() if v}}
        self._contexts = {"current": name, "contexts": {**self.contexts, name: changed}}
        return _write(folder() / "contexts.json", self._contexts)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Problem(
            f"{path} cannot be read: {error}",
            title="Broken settings",
            advice="Repair or delete the file.",
            code=ExitCode.USAGE,
        ) from error
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: dict[str, Any]) -> Path:
    """Replaces the file whole; it is readable by its owner only from the first byte."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    beside.replace(path)
    return path

"""The secrets by which Git servers prove that a webhook is theirs: one file an organization."""

import re
import secrets
from pathlib import Path

from devstack.errors import DevstackError
from devstack.files import write_private
from devstack.state import StateDir

_ORGANIZATION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def webhook_folder(state: StateDir) -> Path:
    """The folder the API reads the secrets from."""
    folder = state.secrets / "webhooks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def ensure_webhook_secret(state: StateDir, organization: str) -> str:
    """The secret of an organization, made on first use.

    Raises:
        DevstackError: the name cannot be an organization's.
    """
    if not _ORGANIZATION.fullmatch(organization):
        message = f"{organization!r} cannot be the name of an organization"
        raise DevstackError(message)
    file = webhook_folder(state) / organization
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text()

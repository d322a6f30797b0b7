"""Files of users and hashes of their passwords, as `htpasswd` makes them. Pure."""

from __future__ import annotations


def hash_of(text: str, user: str) -> str:
    """Returns the hash that a user has; empty = the user is not there."""
    return next((rest for name, rest in _lines(text) if name == user), "")


def with_user(text: str, user: str, hashed: str) -> str:
    """Returns the file in which a user has a hash, in place of the one there was."""
    rest = without(text, user)
    end = "\n" if rest and not rest.endswith("\n") else ""
    return f"{rest}{end}{user}:{hashed}\n"


def without(text: str, user: str) -> str:
    """Returns the file without a user; unchanged when the user is not there."""
    if not hash_of(text, user):
        return text
    return "".join(f"{name}:{rest}\n" for name, rest in _lines(text) if name != user)


def _lines(text: str) -> list[tuple[str, str]]:
    found = [line.strip().partition(":") for line in text.splitlines()]
    return [(name, rest) for name, _, rest in found if name and not name.startswith("#")]

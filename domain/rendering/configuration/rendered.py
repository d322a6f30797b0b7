"""What becomes of a configuration in the pods: variables and files of the container `main`."""

from __future__ import annotations

from typing import Any

from domain.rendering.configuration.effective import effective
from domain.rendering.configuration.secrets import secret_key, secret_name
from domain.rendering.facts import ReleaseFacts

SECRETS_VOLUME = "pavane-secrets"


def variables(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Returns the environment variables, by key; what is kept in Vault by name only.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    name = secret_name(facts.component.name)
    return [
        {
            "name": one.env,
            "valueFrom": {"secretKeyRef": {"name": name, "key": secret_key(one.vault_key)}},
        }
        if one.vault_key
        else {"name": one.env, "value": one.value}
        for one in effective(facts).entries
        if one.env
    ]


def plain_files(facts: ReleaseFacts) -> dict[str, str]:
    """Returns path -> content of the files whose content is written down.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    return {
        one.file: one.value for one in effective(facts).entries if one.file and not one.vault_key
    }


def secret_files(facts: ReleaseFacts) -> dict[str, str]:
    """Returns path -> key of the Secret of the files whose content is kept in Vault.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    return {
        one.file: secret_key(one.vault_key)
        for one in effective(facts).entries
        if one.file and one.vault_key
    }

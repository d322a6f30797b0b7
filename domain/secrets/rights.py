"""The policies of Vault or OpenBao: what each role of Pavane and each tenant may do there. Pure.

A ``+`` stands for exactly one part of a path, so a rule for ``org/+`` reaches every organization
and nothing but what lies in a mount of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from domain import ids
from domain.secrets.places import EVERYWHERE, PLANES, SHARED, mount

AUDIENCE = "openbao"
"""Tokens of pods must be made for it; one that is meant for the API server opens nothing there."""
AUDIT_DEVICE = "file"
"""Name of the audit device whose file tells who uses old credentials."""
_READ = ("read",)
_LIST = ("read", "list")
_SET = ("create", "update")

ROTATOR: Mapping[str, Sequence[str]] = {
    "org/+/data/*": (*_SET, "read"),
    "org/+/metadata/*": (*_LIST, *_SET, "patch"),
    "org/+/delete/*": ("update",),
    "org/+/undelete/*": ("update",),
    "org/+/destroy/*": ("update",),
    "auth/org/+/role/+/role-id": _READ,
    "auth/org/+/role/+/secret-id-ttl": _READ,
    "auth/org/+/role/+/custom-secret-id": ("update",),
    "auth/org/+/role/+/secret-id/lookup": ("update",),
    "auth/org/+/role/+/secret-id/destroy": ("update",),
    "pki/+/issuers": ("list",),
    "pki/+/issuers/generate/root/internal": ("update",),
    "pki/+/issuer/+": ("read", "delete"),
    "pki/+/issuer/+/sign/+": ("update",),
    "pki/+/key/+": ("delete",),
    "pki/+/config/issuers": ("update",),
    "pki/+/revoke": ("update",),
    f"sys/audit-hash/{AUDIT_DEVICE}": ("update",),
}
"""Task queue `secrets`: turns secrets over, in whichever organization."""

DELIVERER: Mapping[str, Sequence[str]] = {
    "org/+/data/*": _READ,
    "org/+/metadata/*": _READ,
    "org/+/subkeys/*": _READ,
    f"org/+/data/{PLANES}/*": ("deny",),
    f"org/+/subkeys/{PLANES}/*": ("deny",),
    "pki/+/sign/gateway": ("update",),
}
"""Task queue of a plane: reads what it delivers to pods, has certificates for its gateway signed by
one role, and changes nothing. It must not learn how other planes are reached."""

CONNECTOR: Mapping[str, Sequence[str]] = {
    f"org/+/data/{PLANES}/*": _READ,
    f"org/+/metadata/{PLANES}/*": _READ,
}
"""The role `planes`: reads the credentials of planes, and no other secret."""

KEEPER: Mapping[str, Sequence[str]] = {
    "org/+/data/*": (*_SET, "read"),
    "org/+/metadata/*": (*_LIST, *_SET, "patch"),
}
"""The API: sets what people give it, and shows a value to who may see it. It destroys nothing."""

TENANT_SETUP: Mapping[str, Sequence[str]] = {
    "sys/mounts": _READ,
    "sys/mounts/org/+": (*_SET, "read"),
    "sys/auth": _READ,
    # Enabling a way to sign in is what OpenBao asks `sudo` for.
    "sys/auth/org/+": (*_SET, "read", "sudo"),
    "sys/policies/acl/org-*": (*_SET, "read"),
    "auth/jwt/role": ("list",),
    "auth/jwt/role/*": (*_SET, "read", "delete"),
}
"""Sets up organizations: mounts, policies and roles. It reads no value and no secret id."""


def policy(rules: Mapping[str, Sequence[str]]) -> str:
    """Returns the text of a policy."""
    return "".join(
        f"path {json.dumps(path)} {{ capabilities = {json.dumps(list(rights))} }}\n"
        for path, rights in rules.items()
    )


def reader_name(organization: str) -> str:
    """Returns the policy by which all secrets of an organization can be read."""
    return f"org-{ids.slug(organization, 'organization')}-reader"


def rotator_name(organization: str) -> str:
    """Returns the policy by which the secrets of an organization can be turned over."""
    return f"org-{ids.slug(organization, 'organization')}-rotator"


def place_name(organization: str, project: str, environment: str) -> str:
    """Returns the policy, and the role, of what runs for a project in an environment."""
    place = ids.namespace(organization, project, environment)
    return f"org-{organization}.{place}"


def tenant_policies(
    organization: str, places: Sequence[tuple[str, str]]
) -> dict[str, Mapping[str, Sequence[str]]]:
    """Returns all policies of an organization by name.

    Args:
        organization: The tenant.
        places: Project and environment of each place in which something of it may run.
    """
    root = mount(organization)
    made: dict[str, Mapping[str, Sequence[str]]] = {
        reader_name(organization): {f"{root}/data/*": _READ, f"{root}/metadata/*": _LIST},
        rotator_name(organization): {
            rule.replace("+", organization, 1): rights
            for rule, rights in ROTATOR.items()
            if "+" in rule
        },
    }
    for project, environment in places:
        name = place_name(organization, project, environment)
        made[name] = {
            f"{root}/data/{owner}/{part}": _READ
            for owner in (project, SHARED)
            for part in ("+", f"{environment}/*", f"{EVERYWHERE}/*")
        }
    return made

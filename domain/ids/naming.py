"""Names of resources, namespaces and content: slugs, cut and hashed where they are too long."""

from __future__ import annotations

import hashlib
import json
import re

from domain.errors import InvalidRequest

SLUG = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LABEL_LIMIT = 63
_HASH_LENGTH = 16
_HASH = re.compile(rf"[0-9a-f]{{{_HASH_LENGTH}}}")
FIELD_MANAGER = "pavane"
GRANT_MANAGER = "pavane-grant"
"""Of one grant each, with its name behind: so each is given and taken back by itself."""
TENANT_MANAGER = "pavane-tenant"
"""Of what organizations get, apart from the manager of releases: both own a project's namespace."""


def slug(value: str, what: str) -> str:
    """Returns ``value`` if it is a DNS label of at most 63 characters (RFC 1123).

    Raises:
        InvalidRequest: It is not; the message says what was named so.
    """
    if len(value) > _LABEL_LIMIT or not SLUG.fullmatch(value):
        message = (
            f"{what} {value!r} is not a name: use lower-case letters, digits and hyphens, "
            f"starting and ending with a letter or digit, {_LABEL_LIMIT} characters at most"
        )
        raise InvalidRequest(message)
    return value


def is_commit(revision: str) -> bool:
    """Tells whether a Git revision is a complete commit id and so needs no resolving."""
    return _COMMIT.fullmatch(revision) is not None


def fitted(name: str, limit: int = _LABEL_LIMIT) -> str:
    """Returns ``name`` when it fits, else its beginning and a hash of the whole.

    Equal names give equal results and different names different ones.
    """
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: limit - 11].rstrip('-')}-{digest}"


def joined(*parts: str) -> str:
    """Returns the parts joined by hyphens, with a hash where the joint could be read two ways.

    ``("a-b", "c")`` and ``("a", "b-c")`` must not meet in one namespace: parts without hyphens
    are joined as they are, all others get a hash of the parts, so no two can be equal
    (docs/decisions/0001). A last part that looks like such a hash gets one too.
    """
    plain = "-".join(parts)
    unclear = any("-" in part for part in parts) or _HASH.fullmatch(parts[-1])
    if len(plain) <= _LABEL_LIMIT and not unclear:
        return plain
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{plain[: _LABEL_LIMIT - _HASH_LENGTH - 1].rstrip('-')}-{digest}"


def namespace(organization: str, project: str, environment: str) -> str:
    """Returns the data-plane namespace of a project in an environment."""
    return joined(organization, project, environment)


def build_namespace(organization: str) -> str:
    """Returns the build-plane namespace in which the builds of an organization run."""
    return fitted(f"builds-{organization}")


def binding_name(component: str, environment: str) -> str:
    """Returns the name of the binding of a component to an environment."""
    return joined(component, environment)


def build_name(component: str, commit: str) -> str:
    """Returns the name of the Build resource and of the Argo Workflow of a build."""
    return fitted(f"{component}-{commit[:12]}")


def content_hash(content: object) -> str:
    """Returns the SHA-256 in hex of the canonical JSON of ``content``."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def bundle_key(organization: str, namespace: str, release: str) -> str:
    """Returns where a release's objects lie in the object store, when they are large."""
    return f"bundles/{organization}/{namespace}/{release}.json"


def log_copy_key(organization: str, look: str) -> str:
    """Returns where the lines of one look at logs lie in the object store while they are read."""
    return f"logs/looks/{slug(organization, 'organization')}/{slug(look, 'look')}"


def content_name(base: str, content: object) -> str:
    """Returns ``base`` with a hash of the content: equal content has equal names."""
    return fitted(f"{base}-{content_hash(content)[:10]}")

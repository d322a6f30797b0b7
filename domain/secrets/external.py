"""How External Secrets is told to fill the Secret of a consumer, at the version in use. Pure.

Left to itself it brings the newest version, also one that a rotation only just wrote and nobody
takes yet. So every field names its version, and delivering is changing those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.deliveries.secrets import SecretConsumer
from domain.secrets.delivery import PULL_TYPE, VERSIONS, own_labels, said
from domain.secrets.places import key_of

API_VERSION, KIND = "external-secrets.io/v1", "ExternalSecret"
CONTENT = "choreo.dev/content"
"""Annotation of an ExternalSecret: the hash of what was wanted, as servers fill in defaults."""
_EVERY = "1h"
"""How often a Secret that somebody removed is made again."""


def external_secret(found: SecretConsumer, versions: Mapping[str, int]) -> dict[str, Any]:
    """Returns the object. The Secret it makes tells by an annotation what it was filled from."""
    notes = {VERSIONS: said(versions)}
    labels = own_labels(found)
    template: dict[str, Any] = {"metadata": {"labels": labels, "annotations": notes}}
    if found.registry:
        template |= {"type": PULL_TYPE, "data": {".dockerconfigjson": _pulls(found.registry)}}
    data = []
    for key, vault_key in sorted(found.keys.items()):
        where = key_of(vault_key)
        version = str(versions[where.path])
        remote = {"key": where.path, "property": where.field, "version": version}
        data.append({"secretKey": key, "remoteRef": remote})
    spec = {
        "refreshInterval": _EVERY,
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": found.store},
        "target": {"name": found.secret, "creationPolicy": "Owner", "template": template},
        "data": data,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": found.secret,
            "namespace": found.namespace,
            "labels": labels,
            "annotations": {**notes, CONTENT: ids.content_hash(spec)},
        },
        "spec": spec,
    }


def is_so(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tells whether an object is as it is wanted."""
    parts = ((part, wanted["metadata"][part]) for part in ("labels", "annotations"))
    return all((live["metadata"].get(part) or {}) | asked == live["metadata"].get(part)
               for part, asked in parts)  # fmt: skip


def is_filled(secret: Mapping[str, Any] | None, versions: Mapping[str, int]) -> bool:
    """Tells whether a Secret was filled from these versions."""
    notes = (secret or {}).get("metadata", {}).get("annotations") or {}
    return bool(notes.get(VERSIONS) == said(versions))


def problem(live: Mapping[str, Any] | None) -> str:
    """Returns what External Secrets says is wrong; empty = it says nothing."""
    told = ((live or {}).get("status") or {}).get("conditions") or ()
    return next((str(one.get("message", "")) for one in told if one.get("status") == "False"), "")


def _pulls(registry: str) -> str:
    """A template of External Secrets: values are put in on the plane."""
    auth = '{{ printf "%s:%s" .username .password | b64enc }}'
    who = {"auth": auth, "password": "{{ .password }}", "username": "{{ .username }}"}
    # Within a template quotes stand for themselves.
    return json.dumps({"auths": {registry: who}}).replace('\\"', '"')

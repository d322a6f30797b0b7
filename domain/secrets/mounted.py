"""How the Secrets Store CSI driver is told what to mount into pods, at the version in use. Pure.

It has a provider read when a pod begins. So every file names its version: a pod that begins while a
secret is turned over gets what everybody uses, and delivering is changing those numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domain.deliveries.secrets import SecretConsumer, SecretVolume
from domain.secrets import delivery, rights
from domain.secrets.places import key_of, mount

API_VERSION, KIND = "secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"
DRIVER = "secrets-store.csi.k8s.io"


def volume_source(name: str) -> dict[str, Any]:
    """Returns what makes a volume of a pod be filled by a SecretProviderClass."""
    attributes = {"secretProviderClass": name}
    return {"csi": {"driver": DRIVER, "readOnly": True, "volumeAttributes": attributes}}


def paths(found: SecretConsumer, volume: SecretVolume) -> list[str]:
    """Returns the secrets that the files of a volume are fields of."""
    return sorted({key_of(found.keys[key]).path for key in volume.files})


def provider_class(
    found: SecretConsumer, volume: SecretVolume, versions: Mapping[str, int]
) -> dict[str, Any]:
    """Returns the SecretProviderClass of a consumer.

    A pod is let in by the token of its service account, made for OpenBao alone, and only as the
    place it runs in. ``objects`` is YAML, of which JSON is a part.
    """
    root, objects = mount(found.organization), []
    for key in sorted(volume.files):
        where = key_of(found.keys[key])
        path = f"{root}/data/{where.path}?version={versions[where.path]}"
        objects.append({"objectName": key, "secretPath": path, "secretKey": where.field})
    parameters = {
        "audience": rights.AUDIENCE,
        f"{volume.provider}AuthMountPath": volume.sign_in,
        "objects": json.dumps(objects, sort_keys=True),
        "roleName": rights.place_name(found.organization, found.project, found.environment),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": found.secret,
            "namespace": found.namespace,
            "labels": delivery.own_labels(found),
            "annotations": {delivery.VERSIONS: delivery.said(versions)},
        },
        "spec": {"provider": volume.provider, "parameters": parameters},
    }


def is_so(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tells whether an object is as it is wanted; what others note on it does not count."""
    kept, asked = live["metadata"], wanted["metadata"]
    notes = ("labels", "annotations")
    return live.get("spec") == wanted["spec"] and all(
        (kept.get(part) or {}) | asked[part] == kept.get(part) for part in notes
    )

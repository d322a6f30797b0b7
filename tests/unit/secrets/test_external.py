from __future__ import annotations

import json
import re
from typing import Any

import pytest

from domain.deliveries.secrets import SecretConsumer
from domain.errors import InvalidRequest
from domain.rendering.release import render_release
from domain.secrets import external
from domain.secrets.delivery import PULLS, VERSIONS, consumers
from tests.unit.rendering.samples import facts, one, rendered

pytestmark = pytest.mark.unit
STORE = {"delivery": "ExternalSecrets", "store": "acme"}
REGISTRY = {"host": "registry:5000", "credentials": {"vaultPath": "shared/registry"}}


def found(**changes: Any) -> SecretConsumer:
    (consumer,) = consumers(
        one(rendered(plane={"secrets": STORE, "registry": REGISTRY}), "Deployment")
    )
    return consumer.model_copy(update=changes)


def test_every_field_is_asked_for_at_the_version_in_use() -> None:
    keys = {"word-1": "shop/all/db/password", "name-2": "shop/all/db/username"}
    made = external.external_secret(found(keys=keys, registry=""), {"shop/all/db": 3})

    asked = [(each["secretKey"], each["remoteRef"]) for each in made["spec"]["data"]]
    assert asked == [
        ("name-2", {"key": "shop/all/db", "property": "username", "version": "3"}),
        ("word-1", {"key": "shop/all/db", "property": "password", "version": "3"}),
    ]
    assert made["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "acme"}
    template = made["spec"]["target"]["template"]["metadata"]
    assert template["annotations"] == {VERSIONS: "shop/all/db=3"}


def test_another_version_is_another_object_and_what_a_server_adds_is_not() -> None:
    first, second = (external.external_secret(found(), {"shared/registry": one}) for one in (1, 2))
    more = first["metadata"]["annotations"] | {"kept-by": "a server"}
    live = {**first, "metadata": first["metadata"] | {"annotations": more}}

    assert external.is_so(live, first)
    assert not external.is_so(live, second)


def test_a_pull_secret_is_made_on_the_plane_from_user_and_password() -> None:
    made = external.external_secret(found(), {"shared/registry": 1})
    template = made["spec"]["target"]["template"]

    assert template["type"] == "kubernetes.io/dockerconfigjson"
    text = re.sub(r"\{\{[^}]*}}", "filled in", template["data"][".dockerconfigjson"])
    who = json.loads(text)["auths"]["registry:5000"]
    assert who == dict.fromkeys(("auth", "password", "username"), "filled in")


def test_a_plane_that_was_looked_at_and_has_no_external_secrets_is_refused() -> None:
    given = facts(plane={"secrets": STORE, "registry": REGISTRY})
    assert PULLS in one(render_release(given), "Deployment")["metadata"]["annotations"]
    status = given.data_plane.status.model_validate({"checked": "2026-11-27T12:00:00Z"})
    plane = given.data_plane.model_copy(update={"status": status})
    with pytest.raises(InvalidRequest, match="version none of its API and needs v1"):
        render_release(given.model_copy(update={"data_plane": plane}))

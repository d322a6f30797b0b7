from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import InvalidRequest
from domain.rendering.configuration.secrets import secret_key
from domain.rendering.facts import GroupUse
from domain.rendering.release import render_release
from domain.resources.configuration import ConfigurationGroup
from domain.secrets import mounted
from domain.secrets.delivery import consumer
from tests.unit.rendering.samples import facts, main_container, one, rendered, resource

pytestmark = pytest.mark.unit
DRIVER = {"delivery": "SecretsStoreCSI"}
CERT, WORD = "shop/all/tls/key", "shop/development/db/password"
VARIABLE = "DATABASE_PASSWORD"


def configured(**files: str) -> tuple[GroupUse, ...]:
    """A key for each vault key; an empty path has it be a variable."""
    keys = []
    for name, path in files.items():
        vault_key = {"cert": CERT, "word": WORD}[name]
        where = {"environmentGroupRef": "non-production", "vaultKey": vault_key}
        place = {"file": path} if path else {"env": VARIABLE}
        keys.append({"key": name, "values": [where], **place})
    group = resource(ConfigurationGroup, "web", {"configurations": keys})
    return (GroupUse.model_validate({"level": "component", "group": group}),)


def deployed(uses: tuple[GroupUse, ...], **secrets: Any) -> dict[str, Any]:
    return one(rendered(configuration=uses, plane={"secrets": DRIVER | secrets}), "Deployment")


def test_a_pod_mounts_files_from_the_driver_and_no_kubernetes_secret_is_named() -> None:
    workload = deployed(configured(cert="/etc/tls/key.pem", word="/run/word"))
    found = consumer(workload)
    assert found is not None
    assert found.volume is not None

    pod = workload["spec"]["template"]["spec"]
    (volume,) = pod["volumes"]
    assert volume["csi"]["driver"] == "secrets-store.csi.k8s.io"
    assert volume["csi"]["volumeAttributes"] == {"secretProviderClass": found.secret}
    paths = {each["mountPath"]: each["subPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert paths == {"/etc/tls/key.pem": secret_key(CERT), "/run/word": secret_key(WORD)}
    assert set(found.volume.files) == set(found.keys) == set(paths.values())
    assert "secretName" not in json.dumps(pod)
    assert found.restarts


@pytest.mark.parametrize("provider", ["openbao", "vault"])
def test_every_file_is_asked_for_at_the_version_in_use_as_the_place_for_openbao_alone(
    provider: str,
) -> None:
    found = consumer(deployed(configured(cert="/a", word="/b"), provider=provider, signIn="jwt/w"))
    assert found is not None
    assert found.volume is not None
    versions = {"shop/all/tls": 4, "shop/development/db": 2}
    made = mounted.provider_class(found, found.volume, versions)

    assert made["spec"]["provider"] == provider
    parameters = made["spec"]["parameters"]
    asked = {each["objectName"]: each for each in json.loads(parameters.pop("objects"))}
    assert parameters == {
        "audience": "openbao",
        "roleName": "org-acme.acme-shop-development",
        f"{provider}AuthMountPath": "jwt/w",
    }
    assert asked[secret_key(CERT)] == {
        "objectName": secret_key(CERT),
        "secretPath": "org/acme/data/shop/all/tls?version=4",
        "secretKey": "key",
    }
    assert asked[secret_key(WORD)]["secretPath"] == "org/acme/data/shop/development/db?version=2"
    assert not mounted.is_so(made, mounted.provider_class(found, found.volume, versions | {
        "shop/all/tls": 5
    }))  # fmt: skip


def test_a_secret_as_a_variable_is_refused_by_name_unless_the_plane_lets_it() -> None:
    uses = configured(cert="/etc/tls/key.pem", word="")
    with pytest.raises(InvalidRequest, match=f"{VARIABLE} would be filled from a secret"):
        deployed(uses)

    workload = deployed(uses, variables="KubernetesSecret")
    found = consumer(workload)
    assert found is not None
    assert found.volume is not None
    assert (found.volume.files, found.volume.variables) == (
        (secret_key(CERT),),
        (secret_key(WORD),),
    )
    (variable,) = (each for each in main_container(rendered(
        configuration=uses, plane={"secrets": DRIVER | {"variables": "KubernetesSecret"}}
    ))["env"] if "valueFrom" in each)  # fmt: skip
    reference = {"name": found.secret, "key": secret_key(WORD)}
    assert variable["valueFrom"] == {"secretKeyRef": reference}

    alone = consumer(deployed(configured(word=""), variables="KubernetesSecret"))
    assert alone is not None
    assert alone.volume is None


def test_a_plane_that_was_looked_at_and_has_no_driver_is_refused() -> None:
    private = {"endpoints": [{"name": "http", "port": 8080, "visibility": "project"}]}
    given = facts(configuration=configured(cert="/a"), plane={"secrets": DRIVER}, workload=private)
    status = given.data_plane.status
    for told, refused in (("v1", False), ("v1alpha1", True), ("", True)):
        seen = status.model_validate(
            {"checked": "2026-11-27T12:00:00Z", "capabilities": {"secretsStoreCSI": told}}
        )
        plane = given.data_plane.model_copy(update={"status": seen})
        looked_at = given.model_copy(update={"data_plane": plane})
        if not refused:
            assert render_release(looked_at).objects
            continue
        with pytest.raises(InvalidRequest, match=f"version {told or 'none'} of its API"):
            render_release(looked_at)

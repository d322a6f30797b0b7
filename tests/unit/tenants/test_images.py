from __future__ import annotations

import pytest

from domain.policies.tenants.images import Registries, images_of, refused_images
from domain.policies.tenants.names import refused_namespace

pytestmark = pytest.mark.unit

SHARED = Registries(shared=("registry.test:5000",), common=("base",))


@pytest.mark.parametrize(
    ("image", "allowed", "why"),
    [
        ("registry.test:5000/acme/shop/web@sha256:1", (), ""),
        ("registry.test:5000/base/python:3.11", ("ghcr.io/acme",), ""),
        ("registry.test:5000/other/shop/web@sha256:1", (), "of another organization"),
        ("registry.test:5000/acme-evil/shop/web", (), "of another organization"),
        ("registry.test:5000/other/x", ("registry.test:5000",), "of another organization"),
        ("ghcr.io/acme/web", (), ""),
        ("ghcr.io/acme/web", ("ghcr.io/acme",), ""),
        ("ghcr.io/acme2/web", ("ghcr.io/acme",), "does not allow"),
        ("nginx", ("ghcr.io",), "does not allow"),
        ("nginx", ("docker.io/library",), ""),
    ],
)
def test_an_organization_runs_its_own_images_and_those_of_registries_it_allows(
    image: str, allowed: tuple[str, ...], why: str
) -> None:
    refused = refused_images([image], "acme", allowed, SHARED)

    assert (why in " ".join(refused)) if why else refused == ()


def test_images_are_found_in_every_kind_that_makes_pods() -> None:
    pod = {"containers": [{"image": "a"}], "initContainers": [{"image": "b"}]}
    cron = {"jobTemplate": {"spec": {"template": {"spec": pod}}}}

    assert set(images_of({"kind": "Pod", "spec": pod})) == {"a", "b"}
    assert set(images_of({"kind": "Deployment", "spec": {"template": {"spec": pod}}})) == {"a", "b"}
    assert set(images_of({"kind": "CronJob", "spec": cron})) == {"a", "b"}
    assert images_of({"kind": "Service", "spec": {}}) == ()


@pytest.mark.parametrize(
    ("name", "labels", "why"),
    [
        ("acme", None, ""),
        ("acme", {}, ""),
        ("acme", {"choreo.dev/organization": "acme"}, ""),
        ("kube-system", None, "belongs to Kubernetes"),
        ("pavane-system", {}, "belongs to Kubernetes"),
        ("base", None, "everybody may pull"),
        ("a-b-c", {"choreo.dev/organization": "a", "choreo.dev/project": "b"}, "of organization a"),
    ],
)
def test_no_organization_takes_a_namespace_of_somebody_else(
    name: str, labels: dict[str, str] | None, why: str
) -> None:
    found = None if labels is None else {"metadata": {"name": name, "labels": labels}}
    refused = refused_namespace(name, found, ("base",))

    assert (why in refused) if why else refused == ""

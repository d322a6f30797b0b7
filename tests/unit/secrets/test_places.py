from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Denied, InvalidRequest
from domain.secrets import rights
from domain.secrets.places import SecretScope, checked, key_of, permit_use, scope_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("path", "project", "environment"),
    [
        ("shop/production/db", "shop", "production"),
        ("shop/all/smtp", "shop", ""),
        ("shop/smtp", "shop", ""),
        ("shared/production/proxy", "", "production"),
        ("shared/proxy", "", ""),
    ],
)
def test_the_path_of_a_secret_says_whose_it_is(path: str, project: str, environment: str) -> None:
    assert scope_of(path) == SecretScope(project, environment)


@pytest.mark.parametrize(
    "path",
    ["", "shop", "/shop/a", "shop//a", "shop/../other/a", "shop/.hidden", "a/b/c/d/e/f/g", "a/b c"],
)
def test_what_is_no_path_is_refused_before_anything_is_asked(path: str) -> None:
    with pytest.raises(InvalidRequest, match="not the path of a secret"):
        checked(path)


def test_a_field_of_pavane_itself_can_not_be_named() -> None:
    with pytest.raises(InvalidRequest, match="not the name of a field"):
        key_of("shop/production/db/_rotation")


@given(st.text(max_size=40), st.sampled_from(["shop", "other"]), st.sampled_from(["dev", "prod"]))
def test_a_place_uses_only_what_is_of_its_project_and_environment_or_of_all(
    path: str, project: str, environment: str
) -> None:
    try:
        permit_use(path, project, environment)
    except (InvalidRequest, Denied):
        return
    parts = path.split("/")
    assert parts[0] in {project, "shared"}
    assert len(parts) == 2 or parts[1] in {environment, "all"}


def test_the_policies_of_one_organization_reach_into_no_other() -> None:
    made = rights.tenant_policies("acme", (("shop", "production"),))
    paths = [path for rules in made.values() for path in rules]

    assert paths
    own = ("org/acme/", "auth/org/acme/", "pki/acme/")
    assert [path for path in paths if not path.startswith(own)] == []
    assert not any(
        set(allowed) - {"read"}
        for name, rules in made.items()
        if name.startswith("org-acme.")
        for allowed in rules.values()
    )


def test_no_pod_may_use_the_credentials_of_a_plane() -> None:
    with pytest.raises(Denied, match="of project _planes"):
        permit_use("_planes/west", "shop", "production")

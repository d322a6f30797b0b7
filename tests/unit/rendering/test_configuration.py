from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering.configuration.effective import (
    EffectiveConfiguration,
    effective,
    judged_configuration,
)
from domain.rendering.configuration.secrets import needed_secret, secret_key, secret_name
from domain.rendering.facts import GroupUse, ReleaseFacts
from domain.rendering.release import render_release
from domain.resources.component import Component
from domain.resources.configuration import ConfigurationGroup, configuration_revision
from domain.secrets.delivery import SOURCES, consumer
from tests.unit.rendering.samples import facts, main_container, one, rendered, resource

pytestmark = pytest.mark.unit


def use(level: str, name: str, *keys: dict[str, Any], **spec: Any) -> GroupUse:
    group = resource(ConfigurationGroup, name, {"configurations": list(keys), **spec})
    return GroupUse.model_validate({"level": level, "group": group})


def key(name: str, value: str = "", *, to: str = "non-production", **more: Any) -> dict[str, Any]:
    """A key with one value, for a group of environments; ``@place`` is one environment."""
    where = {"environmentRef": to[1:]} if to[0] == "@" else {"environmentGroupRef": to}
    vault = more.pop("vaultKey", "")
    given_value = {"vaultKey": vault} if vault else {"value": value}
    return {"key": name, "values": [where | given_value], **more}


def with_groups(*uses: GroupUse, **changes: Any) -> ReleaseFacts:
    return facts(configuration=uses, **changes)


def values(configuration: EffectiveConfiguration) -> dict[str, str]:
    return {one.key: one.value for one in configuration.entries}


def refusal(*uses: GroupUse, **changes: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        effective(with_groups(*uses, **changes))
    return refused.value.message


def test_later_levels_go_before_earlier_ones_and_the_binding_before_all() -> None:
    found = effective(
        with_groups(
            use("organization", "platform", key("a", "org"), key("b", "org"), key("c", "org")),
            use("project", "shop", key("b", "project"), key("c", "project")),
            use("component", "web", key("c", "component"), key("d", "component")),
            service_class={"configuration": {"properties": {"a": {"default": "class"}}}},
            binding={"configurations": [{"key": "d", "value": "binding"}]},
        )
    )
    assert values(found) == {"a": "org", "b": "project", "c": "component", "d": "binding"}
    told = {one.key: [each.level for each in (*one.overrides, one.origin)] for one in found.entries}
    assert told == {
        "a": ["class", "organization"],
        "b": ["organization", "project"],
        "c": ["organization", "project", "component"],
        "d": ["component", "binding"],
    }


def test_an_environment_goes_before_its_group_and_that_before_production_or_not() -> None:
    by_all = {
        "key": "size",
        "values": [
            {"environmentGroupRef": "non-production", "value": "all"},
            {"environmentGroupRef": "early", "value": "early"},
            {"environmentRef": "development", "value": "here"},
        ],
    }
    groups = [{"name": "early", "environments": ["development"]}]
    order = []
    while by_all["values"]:
        (entry,) = effective(
            with_groups(use("component", "web", by_all, environmentGroups=groups))
        ).entries
        order.append((entry.value, entry.origin.said_for))
        by_all = by_all | {"values": by_all["values"][:-1]}
    assert order == [
        ("here", "environment development"),
        ("early", "environment group early"),
        ("all", "environment group non-production"),
    ]


def test_configuration_goes_before_the_workload_and_the_binding_before_configuration() -> None:
    release = rendered(
        container={"env": [{"name": "LEVEL", "value": "workload"}, {"name": "W", "value": "w"}]},
        workload={"files": [{"path": "/etc/app/a", "content": "workload"}]},
        overrides={"env": [{"name": "POOL", "value": "binding"}]},
        configuration=(
            use(
                "component",
                "web",
                key("level", "configured"),
                key("pool", "configured"),
                key("file", "configured", file="/etc/app/a"),
            ),
        ),
    )
    env = {each["name"]: each.get("value") for each in main_container(release)["env"]}
    assert (env["LEVEL"], env["POOL"], env["W"]) == ("configured", "binding", "w")
    (config_map,) = (each for each in release.objects if each["kind"] == "ConfigMap")
    assert list(config_map["data"].values()) == ["configured"]


def test_what_is_kept_in_vault_is_rendered_by_name_only() -> None:
    uses = (
        use(
            "component",
            "web",
            key("database.url", vaultKey="shop/development/database/url"),
            key("tls.key", vaultKey="shop/all/tls/key", file="/etc/tls/key.pem"),
        ),
    )
    release = rendered(configuration=uses)
    secret = needed_secret(with_groups(*uses))
    assert secret is not None
    assert {each.vault_key for each in secret.entries} == {
        "shop/development/database/url",
        "shop/all/tls/key",
    }
    (variable,) = (each for each in main_container(release)["env"] if "valueFrom" in each)
    reference = {"name": secret.name, "key": secret_key("shop/development/database/url")}
    assert variable == {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": reference}}
    pod = one(release, "Deployment")["spec"]["template"]["spec"]
    (volume,) = (each for each in pod["volumes"] if "secret" in each)
    assert volume["secret"] == {"secretName": secret_name("web")}
    told = json.loads(one(release, "Deployment")["metadata"].pop("annotations")[SOURCES])
    assert told == {
        "secret": secret.name,
        "keys": {each.key: each.vault_key for each in secret.entries},
    }
    assert "secret/dev" not in str(release.objects)
    annotations = one(release, "Deployment")["metadata"]["annotations"]
    told = consumer(one(release, "Deployment"))
    assert told is not None
    assert (told.secret, told.keys) == (
        secret.name,
        {each.key: each.vault_key for each in secret.entries},
    )
    assert len(annotations) == 1


@pytest.mark.parametrize(
    ("keys", "changes", "words"),
    [
        ([key("a", to="production", required=True)], {}, "key a has no value (required by"),
        ([key("a", "${b}")], {}, "key a refers to ${b}, which has no value here"),
        ([key("a", "${b}"), key("b", "${c}"), key("c", "${a}")], {}, "a -> b -> c -> a"),
        ([key("a", "${b}"), key("b", vaultKey="shop/x/y")], {}, "which is kept in Vault"),
        (
            [key("a", vaultKey="billing/production/db/password")],
            {},
            "key a of ConfigurationGroup web: secret billing/production/db is of project billing",
        ),
        ([key("a.b", "1"), key("a-b", "2")], {}, "a-b and a.b would both be the variable A_B"),
        (
            [key("a", "x" * 8000), key("b", "${a}${a}${a}"), key("c", "${b}${b}")],
            {},
            "key c has 48000 bytes: 32768 at most",
        ),
        ([key(f"k{n}", "x" * 8000) for n in range(40)], {}, "its variables have 320"),
        (
            [key("pool", "many")],
            {"service_class": {"configuration": {"properties": {"pool": {"type": "integer"}}}}},
            "key pool of ConfigurationGroup web is not of type integer (configuration of Service",
        ),
        (
            [key("pool", "7")],
            {
                "service_class": {
                    "configuration": {"properties": {"pool": {"type": "integer", "maximum": 5}}}
                }
            },
            "is not as the class wants it: maximum 5",
        ),
        (
            [key("a", "1")],
            {"service_class": {"configuration": {"required": ["database.url"]}}},
            "key database.url has no value (configuration of ServiceClass standard-service)",
        ),
        (
            [key("timeuot", "1")],
            {
                "service_class": {
                    "configuration": {"additionalProperties": False, "properties": {"timeout": {}}}
                }
            },
            "key timeuot of ConfigurationGroup web is no key of the class: it has timeout",
        ),
        (
            [key("timeout", "1")],
            {"binding": {"configurations": [{"key": "timeuot", "value": "2"}]}},
            "which no group of the component and no class has; did you mean timeout?",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_before_anything_is_applied(
    keys: list[dict[str, Any]], changes: dict[str, Any], words: str
) -> None:
    told = refusal(use("component", "web", *keys), **changes)
    assert words in told
    assert told.startswith("the configuration of web in development: ")


def test_all_that_is_wrong_is_told_at_once_and_no_value_is() -> None:
    told = refusal(
        use("component", "web", key("a", "${gone}"), key("pool", "hunter2")),
        service_class={
            "configuration": {
                "required": ["url"],
                "properties": {"pool": {"type": "integer"}, "a": {"maxLength": 3}},
            }
        },
    )
    assert all(words in told for words in ("${gone}", "key pool", "key url"))
    assert "hunter2" not in told


def test_a_group_of_another_project_is_not_for_it() -> None:
    told = refusal(use("component", "billing", key("a", "1"), projectRef="billing"))
    assert "ConfigurationGroup billing is for components of project billing" in told


def test_texts_may_be_made_of_other_keys_and_a_reference_may_be_meant_as_it_stands() -> None:
    found = effective(
        with_groups(
            use("organization", "all", key("host", "db.${domain}"), key("domain", "acme.example")),
            use("component", "web", key("url", "postgres://${host}/$${host}")),
        )
    )
    assert values(found)["url"] == "postgres://db.acme.example/${host}"


def test_typed_values_kept_in_vault_satisfy_a_class_that_requires_them() -> None:
    schema = {"required": ["pool"], "properties": {"pool": {"type": "integer"}}}
    found = effective(
        with_groups(
            use("component", "web", key("pool", vaultKey="shared/a/b")),
            service_class={"configuration": schema},
        )
    )
    assert found.entries[0].vault_key == "shared/a/b"


def test_without_configuration_nothing_is_rendered_differently() -> None:
    assert rendered().hash == rendered(configuration=(use("component", "web"),)).hash


LINKS = st.fixed_dictionaries({name: st.sampled_from(["", *"abcde"]) for name in "abcd"})


@given(LINKS)
def test_a_web_of_references_has_values_exactly_when_each_way_through_it_ends(
    links: dict[str, str],
) -> None:
    def ends(name: str) -> bool:
        for _ in "abcde":
            if name == "e":
                return False  # which is not there
            if not links[name]:
                return True
            name = links[name]
        return False

    keys = [key(name, f"${{{to}}}" if to else "x") for name, to in links.items()]
    found = judged_configuration(with_groups(use("component", "web", *keys)))
    assert (not found.problems) is all(ends(name) for name in links)
    if not found.problems:
        assert set(values(found).values()) == {"x"}


def test_a_revision_gives_back_what_the_group_said_whatever_it_says_now() -> None:
    before = use("component", "web", key("a", "1", description="words"), projectRef="shop").group
    after = use("component", "web", key("a", "2"), projectRef="shop").group
    revision = configuration_revision(before)
    assert revision.name == before.revision != after.revision
    assert revision.of(after).revision == before.revision
    reworded = use("component", "web", key("a", "1", description="other"), projectRef="shop").group
    assert reworded.revision == before.revision


def live(*keys: dict[str, Any], **changes: Any) -> ReleaseFacts:
    owner = {"componentOwner": {"projectRef": "shop"}, "configurationUpdates": "Live"}
    component = resource(Component, "web", owner)
    return with_groups(use("component", "web", *keys), component=component, **changes)


def test_a_live_file_changes_and_the_pods_do_not() -> None:
    before = render_release(live(key("a", "1", file="/etc/app/live/a")))
    after = render_release(live(key("a", "2", file="/etc/app/live/a")))
    assert one(before, "Deployment") == one(after, "Deployment")
    assert before.hash != after.hash
    maps = [next(o for o in r.objects if o["kind"] == "ConfigMap") for r in (before, after)]
    assert [list(each["data"].values()) for each in maps] == [["1"], ["2"]]
    assert maps[0]["metadata"]["name"] == maps[1]["metadata"]["name"]
    assert "immutable" not in maps[0]
    mounts = main_container(after)["volumeMounts"]
    assert [each["mountPath"] for each in mounts] == ["/etc/app/live"]
    assert "subPath" not in mounts[0]


def test_a_variable_of_a_live_component_still_rolls_its_pods() -> None:
    before, after = (render_release(live(key("a", value))) for value in "12")
    assert one(before, "Deployment") != one(after, "Deployment")


@pytest.mark.parametrize(
    ("path", "files", "words"),
    [
        ("/etc/a", [], "give it a folder of its own"),
        ("/etc/app/a", [{"path": "/etc/app/b"}], "cannot both be mounted"),
    ],
)
def test_the_folder_of_a_live_file_is_its_own(
    path: str, files: list[dict[str, str]], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        render_release(live(key("a", "1", file=path), workload={"files": files}))

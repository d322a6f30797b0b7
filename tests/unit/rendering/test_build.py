from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering import BuilderSettings, RenderedBuild, render_build
from domain.rendering.build import SCRIPT, cache_repository
from tests.unit.rendering.samples import COMMIT, plan

pytestmark = pytest.mark.unit

SETTINGS = BuilderSettings(builder_image="registry:5000/base/builder:2")


def built(settings: dict[str, Any] | None = None, **changes: Any) -> RenderedBuild:
    return render_build(plan(**changes), SETTINGS.model_copy(update=settings or {}))


def container(build: RenderedBuild) -> dict[str, Any]:
    own: dict[str, Any] = build.workflow["spec"]["templates"][0]["container"]
    return own


def variables(build: RenderedBuild) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(build)["env"]}


def unpacked(text: str) -> list[str]:
    return b64decode(text).decode().split("\0")[:-1]


def test_workflow_is_named_by_the_plan_and_labelled_by_its_place() -> None:
    metadata = built().workflow["metadata"]
    assert (metadata["namespace"], metadata["name"]) == ("builds-acme", "web-cccccccccccc")
    assert metadata["labels"]["choreo.dev/component"] == "web"
    assert metadata["labels"]["choreo.dev/commit"] == COMMIT[:12]


def test_build_ends_in_time_and_is_kept_long_enough_to_be_read() -> None:
    spec = built(timeout_seconds=120).workflow["spec"]
    assert spec["activeDeadlineSeconds"] == 120
    assert spec["ttlStrategy"] == {"secondsAfterCompletion": 86400}
    assert spec["podGC"]["deleteDelayDuration"] == "600s"
    assert "retryStrategy" not in json.dumps(spec)


def test_user_s_commands_get_no_token_and_no_privileges() -> None:
    build = built()
    spec = build.workflow["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["executor"] == {"serviceAccountName": "pavane-build"}
    security = container(build)["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    assert "SYS_ADMIN" not in security["capabilities"]["add"]


def test_setup_gives_the_sidecar_what_it_needs_and_no_more() -> None:
    setup = built().setup
    assert [each["kind"] for each in setup] == [
        "Namespace",
        "NetworkPolicy",
        "ServiceAccount",
        "Secret",
        "Role",
        "RoleBinding",
    ]
    role = next(each for each in setup if each["kind"] == "Role")
    assert role["rules"] == [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtaskresults"],
            "verbs": ["create", "patch"],
        }
    ]
    token = next(each for each in setup if each["kind"] == "Secret")
    assert token["metadata"]["name"] == "pavane-build.service-account-token"
    assert "data" not in token
    assert setup[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_setup_is_equal_for_all_builds_of_an_organization() -> None:
    other = built(component="api", name="api-cccccccccccc", project="tools")
    assert built().setup == other.setup
    assert built().setup != built(organization="globex").setup


def test_trusted_certificates_reach_the_pod_when_there_are_any() -> None:
    build = built({"trust_bundle": "PEM"})
    (bundle,) = (each for each in build.setup if each["kind"] == "ConfigMap")
    assert bundle["data"] == {"ca.crt": "PEM"}
    assert variables(build)["PAVANE_TRUST"] == "/pavane/trust/ca.crt"
    assert {"name": "trust", "mountPath": "/pavane/trust"} in container(build)["volumeMounts"]
    assert variables(built())["PAVANE_TRUST"] == ""


def test_layers_are_kept_beside_the_image_unless_told_otherwise() -> None:
    assert cache_repository("host:5000/acme/web") == "host:5000/cache/acme/web"
    assert variables(built())["PAVANE_CACHE"] == "registry:5000/cache/acme/shop/web"
    assert variables(built({"cache": False}))["PAVANE_CACHE"] == ""


def test_build_arguments_and_insecurity_are_handed_on() -> None:
    told = variables(built({"build_arguments": {"B": "2", "A": "x y"}, "insecure": True}))
    assert unpacked(told["PAVANE_BUILD_ARGUMENTS"]) == ["A=x y", "B=2"]
    assert told["PAVANE_INSECURE"] == "true"


words = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=5)


@given(command=words)
def test_no_test_command_is_ever_part_of_what_is_interpreted(command: list[str]) -> None:
    build = built(test_command=tuple(command))
    told = variables(build)["PAVANE_TEST_COMMAND"]
    assert unpacked(told) == command
    assert container(build)["command"] == container(built())["command"]
    assert "{{" not in json.dumps(build.workflow)


hostile = st.sampled_from(["$(id)", "`id`", "; id", "'", '"', "\\", "--upload-pack=id", "a b", "&"])


@given(context=hostile, repository=hostile.filter(lambda text: " " not in text))
def test_hostile_values_stay_in_their_variables(context: str, repository: str) -> None:
    url = f"https://git.example.org/{repository}"
    build = built(context=context, repository=url)
    assert variables(build)["PAVANE_REPOSITORY"] == url
    assert variables(build)["PAVANE_CONTEXT"] == context
    assert container(build)["command"][2] == SCRIPT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"template": "buildpack"}, "there is no build template buildpack, only docker-build"),
        ({"repository": "file:///etc"}, "repository must be an http(s) or ssh URL"),
        ({"repository": "ext::sh -c id"}, "repository must be an http(s) or ssh URL"),
        ({"repository": "https://-oProxy=id"}, "repository must be an http(s) or ssh URL"),
        ({"context": "{{workflow.name}}"}, "context must not contain '{{'"),
        ({"test_command": ("a\0b",)}, "a command contains a NUL character"),
    ],
)
def test_what_cannot_be_built_safely_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        built(**changes)
    assert refused.value.message == f"component web: {message}"


def test_equal_plans_give_byte_equal_builds() -> None:
    assert json.dumps(built().workflow) == json.dumps(built().workflow)
    assert built().template_digest == built(commit="d" * 40).template_digest
    assert built().template_digest.startswith("sha256:")


def test_script_has_nothing_that_argo_would_fill_in() -> None:
    assert "{{" not in SCRIPT


def test_script_is_correct_bash(tmp_path: Path) -> None:
    script = tmp_path / "build.sh"
    script.write_text(SCRIPT)
    bash = which("bash")
    assert bash is not None
    checked = run([bash, "-n", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr

from __future__ import annotations

from typing import Any

import pytest

from domain.deliveries.promotion_effects import GateTestRun
from domain.errors import Denied, InvalidRequest
from domain.rendering import BuilderSettings, render_build, render_release
from domain.rendering.build import PULL_SECRET
from domain.rendering.configuration.pulling import pull_secrets_of
from domain.rendering.gates.jobs import gate_job
from domain.rendering.gates.workflows import gate_workflow
from domain.rendering.network.neighbours import closed_neighbour
from domain.rendering.network.probing import probe_job, probe_run
from domain.secrets.delivery import PULLS, consumers, of_builds
from tests.unit.rendering.samples import facts, of_type, one, plan, rendered

pytestmark = pytest.mark.unit
WHO = {"vaultPath": "shared/registry"}


def plane(**registry: Any) -> dict[str, Any]:
    return {"registry": registry}


def test_the_credential_of_a_plane_is_the_pull_secret_of_its_components() -> None:
    theirs = {"spec": {"imagePullSecrets": [{"name": "of-the-class"}]}}
    release = rendered(
        plane=plane(host="registry:5000", credentials=WHO), template={"template": theirs}
    )
    workload = one(release, "Deployment")
    (found,) = consumers(workload)

    assert (found.registry, found.restarts) == ("registry:5000", False)
    assert set(found.keys.values()) == {"shared/registry/username", "shared/registry/password"}
    pod = workload["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["imagePullSecrets"]] == [found.secret, "of-the-class"]


def test_a_plane_that_is_nobody_to_its_registry_has_components_without_pull_secrets() -> None:
    workload = one(rendered(plane=plane(host="registry:5000")), "Deployment")

    assert "imagePullSecrets" not in workload["spec"]["template"]["spec"]
    assert PULLS not in workload["metadata"].get("annotations", {})


def test_a_credential_without_the_host_it_is_for_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"needs spec\.registry\.host"):
        rendered(plane=plane(credentials=WHO))


def names(spec: dict[str, Any]) -> list[str]:
    return [each["name"] for each in spec.get("imagePullSecrets", ())]


def test_tests_of_gates_and_probes_pull_as_the_component_does() -> None:
    more = {"network": {"probeImage": "registry:5000/pavane/pavane:1"}}
    given = facts(
        plane=plane(host="registry:5000", credentials=WHO) | more,
        environment={"network": {"probes": "Observe"}},
    )
    objects = render_release(given).objects
    workload = next(each for each in objects if each["kind"] == "Deployment")
    pulls = pull_secrets_of(workload)
    assert pulls == tuple(names(workload["spec"]["template"]["spec"])) != ()

    probe = probe_run(given, (), objects)
    assert probe is not None
    job = probe_job(probe, "probe-web-1", {}, probe.ways)
    assert names(job["spec"]["template"]["spec"]) == list(pulls)
    run = GateTestRun(
        gate="smoke", name="gate-1", organization="acme", project="shop", image="tests:1",
        environment="development", namespace="acme-shop-development", command=("true",),
    )  # fmt: skip
    assert names(gate_job(run, None, pulls)["spec"]["template"]["spec"]) == list(pulls)
    beside = closed_neighbour(run.name, run.namespace, {})
    assert names(gate_workflow(run, beside, pulls)["spec"]) == list(pulls)
    assert names(gate_job(run, None)["spec"]["template"]["spec"]) == []


def test_runs_of_a_task_are_made_of_a_template_that_names_the_pull_secret() -> None:
    given = of_type(
        "ScheduledTask",
        data_plane=facts(plane=plane(host="registry:5000", credentials=WHO)).data_plane,
        component_class={"schedule": {"cron": "0 3 * * *"}},
    )
    workload = next(each for each in render_release(given).objects if each["kind"] == "CronJob")
    pod = workload["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert tuple(names(pod)) == pull_secrets_of(workload) != ()
    (found,) = consumers(workload)
    assert found.secret in names(pod)


def test_builds_pull_with_a_secret_of_all_projects_and_of_no_single_one() -> None:
    settings = BuilderSettings(builder_image="registry:5000/base/builder:2")
    build = render_build(plan(pull_path="shared/registry", pull_host="registry:5000"), settings)
    found = of_builds("acme", build.namespace, PULL_SECRET, "shared/registry", "registry:5000")

    assert names(build.workflow["spec"]) == [found.secret]
    assert (found.shown, found.restarts) == ("builds (pulls)", False)
    assert names(render_build(plan(), settings).workflow["spec"]) == []
    for path in ("shop/registry", "shared/production/registry", "_planes/west"):
        with pytest.raises(Denied, match="keep it below shared/"):
            of_builds("acme", build.namespace, PULL_SECRET, path, "registry:5000")

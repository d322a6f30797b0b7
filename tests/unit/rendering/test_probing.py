"""What is tried of a release's policies: what was declared, and what was not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.deliveries.probes import ProbeOutcome, Prober, ProbeRun
from domain.dependencies import Interfaces
from domain.errors import InvalidRequest
from domain.rendering import ReleaseFacts, render_release
from domain.rendering.network.probing import PROBE, PROGRAM, probe_job, probe_run
from tests.unit.rendering.samples import facts
from tests.unit.rendering.test_policies import BILLING, LEDGER, MAIL

pytestmark = pytest.mark.unit

PLANE = {"network": {"probeImage": "registry:5000/pavane/pavane:1"}}
OWN = "web.acme-shop-development.svc"


def probed(probes: str = "Enforce", *dependencies: Any, **more: Any) -> ReleaseFacts:
    return facts(
        environment={"network": {"probes": probes}},
        plane=PLANE,
        interfaces=Interfaces(dependencies=dependencies),
        **more,
    )


def asked(wanted: ReleaseFacts, before: ReleaseFacts | None = None) -> ProbeRun | None:
    old = render_release(before).objects if before else ()
    return probe_run(wanted, old, render_release(wanted).objects)


def test_callers_reach_it_strangers_do_not_and_it_reaches_what_it_declared_only() -> None:
    run = asked(probed("Enforce", BILLING, LEDGER, MAIL))
    assert run is not None
    tried = {(one.prober, one.host, one.port, one.passes) for one in run.ways}
    assert tried == {
        (Prober.CALLER, OWN, 8080, True),
        (Prober.STRANGER, OWN, 8080, False),
        (Prober.COMPONENT, OWN, 8080, False),
        (Prober.COMPONENT, f"billing.{run.namespace}.svc", 8081, True),
        (Prober.COMPONENT, "ledger.acme-finance-development.svc", 8081, True),
    }
    assert (run.enforced, run.policy["kind"]) == (True, "NetworkPolicy")
    assert run.labels["choreo.dev/component"] == "web"
    assert run.labels["calls.choreo.dev/billing.http"] == "allowed"


def test_nothing_is_tried_where_nobody_asks_nothing_runs_or_no_way_changes() -> None:
    assert asked(probed("Off", BILLING)) is None
    assert asked(probed("Observe", BILLING), before=probed("Observe", BILLING)) is None
    assert asked(probed(binding={"state": "Suspend"})) is None
    assert asked(probed("Observe", BILLING), before=probed("Observe")) is not None
    scaled = probed("Observe", template={"replicas": 5})
    assert asked(scaled, before=probed("Observe")) is None


def test_probes_without_an_image_are_refused_by_the_names_of_both_fields() -> None:
    wanted = facts(environment={"network": {"probes": "Observe"}})
    with pytest.raises(InvalidRequest, match=r"development asks .* spec\.network\.probeImage"):
        render_release(wanted)


def test_a_pod_that_tries_is_never_ready_and_has_no_rights() -> None:
    run = asked(probed())
    assert run is not None
    job = probe_job(run, "probe-web-1", {"more": "label"}, run.ways)
    template = job["spec"]["template"]
    assert template["spec"]["readinessGates"] == [{"conditionType": PROBE}]
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["metadata"]["labels"] | {"more": "label"} == template["metadata"]["labels"]
    assert (job["spec"]["suspend"], job["spec"]["backoffLimit"]) == (True, 0)


def test_the_program_tells_open_from_shut_and_believes_nothing_without_a_name(
    tmp_path: Path,
) -> None:
    told = tmp_path / "told"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        port, shut = server.getsockname()[1], closed.getsockname()[1]
        ways = [
            ["127.0.0.1", port, True],
            ["127.0.0.1", port, False],
            ["127.0.0.1", shut, False],
            ["not-there.invalid", port, False],
        ]
        program = PROGRAM.replace("/dev/termination-log", str(told))
        environment = {**os.environ, "WAYS": json.dumps(ways), "LIMIT": "1"}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert json.loads(told.read_text()) == ["open", "open", "shut", "unresolved"]


def test_what_came_of_it_is_one_line() -> None:
    fine = ProbeOutcome(tried=3, skipped=("web reaches api: not tried",))
    assert fine.said == "3 ways tried from pods, all as declared (web reaches api: not tried)"
    wrong = ProbeOutcome(tried=1, wrong=("nobody else reaches web.http: it is open",))
    assert not wrong.passed
    assert wrong.said.endswith(
        "way tried from pods, wrong: nobody else reaches web.http: it is open"
    )

"""The chart on a full stack of its own, and what a person does with the installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from devstack.images.layers import MANIFEST_TYPE
from devstack.lifecycle import running
from devstack.programs import Silent, ensure
from devstack.state import state_dir
from tests.certificates import CertificateFiles
from tests.chart.outside import AUDIENCE, LOOPBACK, forwarded, issuer
from tests.chart.rendering import CHART, ROOT, helm
from tests.compose import standins
from tests.compose.engine import Engine
from tests.postgresql import postgresql

STACK = "chart"
NAMESPACE = "pavane-system"
_RELEASE = ("pavane", f"--namespace={NAMESPACE}")
_PATIENCE = "--timeout=8m"


@dataclass(frozen=True)
class Installation:
    """A cluster the chart is or will be installed in."""

    environment: dict[str, str]
    values: Path
    token: str
    folder: Path

    def helm(self, verb: str, *arguments: str) -> str:
        """Runs Helm for the release on the cluster."""
        kubeconfig = {"KUBECONFIG": self.environment["KUBECONFIG"], "HOME": str(self.folder)}
        return helm(verb, *arguments, environment={**os.environ, **kubeconfig})

    def install(self) -> None:
        given = (str(CHART), f"--values={self.values}", "--wait", _PATIENCE, "--create-namespace")
        self.helm("install", *_RELEASE, *given)

    def upgrade(self, *settings: str) -> None:
        given = (str(CHART), f"--values={self.values}", "--wait", _PATIENCE)
        self.helm("upgrade", *_RELEASE, *given, *(f"--set={one}" for one in settings))

    def encrypt(self) -> None:
        """Gives the API a certificate; it then speaks TLS alone."""
        files = CertificateFiles(self.folder)
        files.write("pavane.test")
        given = (f"--cert={files.certificate}", f"--key={files.key}", f"--namespace={NAMESPACE}")
        self.kubectl("create", "secret", "tls", "api-tls", *given)
        self.upgrade("api.tls.secret=api-tls")

    def roll_back(self, revision: int) -> None:
        self.helm("rollback", "pavane", str(revision), *_RELEASE[1:], "--wait", _PATIENCE)

    def uninstall(self) -> None:
        self.helm("uninstall", *_RELEASE, "--wait", _PATIENCE)

    def test(self) -> str:
        return self.helm("test", *_RELEASE, _PATIENCE)

    def kubectl(self, *arguments: str) -> str:
        program = ensure(["kubernetes"], progress=Silent())["kubernetes"].files["kubectl"]
        command = [str(program), f"--kubeconfig={self.environment['KUBECONFIG']}", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.kubectl("get", kind, "--output=json", *arguments)
        )["items"]
        return found

    def prebuilt(self) -> str:
        """An image in the registry, by its digest."""
        name = self.environment["PAVANE_BUILD__RUNTIME_IMAGE"].partition("/")[2]
        repository, _, tag = name.rpartition(":")
        answer = httpx.head(
            f"{self.environment['PAVANE_REGISTRY__URL']}/v2/{repository}/manifests/{tag}",
            headers={"Accept": MANIFEST_TYPE},
            trust_env=False,
        )
        host = self.environment["PAVANE_REGISTRY__PULL_HOST"]
        return f"{host}/{repository}@{answer.headers['Docker-Content-Digest']}"

    def pavane(self, *arguments: str) -> str:
        """Runs the command line against a pod of the API that is ready."""
        ready = [
            pod
            for pod in self.objects(
                "pods", f"--namespace={NAMESPACE}", "--selector=app.kubernetes.io/component=api"
            )
            if "deletionTimestamp" not in pod["metadata"]
            and {"type": "Ready", "status": "True"}.items()
            <= next(one for one in pod["status"]["conditions"] if one["type"] == "Ready").items()
        ]
        assert ready
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "PAVANE_API__URL": f"http://{ready[0]['status']['podIP']}:8090",
                "PAVANE_TOKEN": self.token,
                "PAVANE_ORGANIZATION": "acme",
                "PAVANE_CONFIG_DIR": str(self.folder / "person"),
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout


@contextmanager
def installation(docker: Engine) -> Iterator[Installation]:
    """A stack without Pavane, the image in its registry, and servers that pods reach."""
    _stack("up", "--profile", "full", "--no-platform")
    try:
        with ExitStack() as stack:
            yield _prepared(stack, docker)
    finally:
        _stack("reset", "--yes")


def _prepared(stack: ExitStack, docker: Engine) -> Installation:
    record = running(state_dir(STACK))
    assert record is not None
    environment = dict(record.environment)
    pulled_from = environment["PAVANE_REGISTRY__PULL_HOST"]
    host = pulled_from.partition(":")[0]
    temporal = int(environment["TEMPORAL_ADDRESS"].rpartition(":")[2])
    database = stack.enter_context(postgresql())
    records = stack.enter_context(forwarded(host, int(database.rpartition(":")[2])))
    people = stack.enter_context(issuer(host))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pavane-chart-")))
    # The node sees the machine's folders; the pods' user owns this one.
    objects = folder / "objects"
    objects.mkdir()
    for each in (folder, objects):
        each.chmod(0o777)
    settings = {
        "records": {"url": f"postgresql://postgres@{host}:{records}/postgres"},
        "objects": {"url": "file:///var/lib/pavane/objects"},
        "oidc": {"issuer": people.url, "audience": AUDIENCE},
        "registry": {"url": f"http://{pulled_from}", "pull_host": pulled_from},
        "api": {"admin_group": "platform-engineers"},
    }
    values = {
        "image": {
            "repository": f"{pulled_from}/pavane",
            "digest": _push(docker, environment["PAVANE_REGISTRY__URL"]),
        },
        "temporal": {"address": f"{host}:{stack.enter_context(forwarded(host, temporal))}"},
        "settings": settings,
        "objects": {"volume": {"hostPath": {"path": str(objects), "type": "Directory"}}},
        "api": {"replicas": 1},
        "workers": [
            {"name": "brain", "roles": ["orchestration", "secrets"], "replicas": 1},
            {"name": "control", "roles": ["intake", "control"], "replicas": 1},
            {"name": "plane", "roles": ["plane"], "plane": "local", "replicas": 1},
        ],
    }
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    token = people.token("ada", "platform-engineers")
    return Installation(environment, file, token, folder)


def _push(docker: Engine, registry: str) -> str:
    """Builds the image, pushes it and returns its digest."""
    address = urlsplit(registry)
    # The engine speaks plain HTTP to registries on loopback only.
    with forwarded(LOOPBACK, address.port or 80, address.hostname or LOOPBACK) as port:
        return _pushed(docker, f"{LOOPBACK}:{port}/pavane:test")


def _pushed(docker: Engine, name: str) -> str:
    docker.docker(
        *("build", "--file=docker/Dockerfile", f"--tag={name}"),
        f"--build-arg=PYTHON={standins.PYTHON}",
        f"--secret=id=ca,src={standins.bundle()}",
        str(ROOT),
        timeout=1800,
    )
    docker.docker("push", name)
    told = docker.docker("inspect", "--format={{index .RepoDigests 0}}", name)
    return told.strip().rpartition("@")[2]


def _stack(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "stack", *arguments, "--name", STACK],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

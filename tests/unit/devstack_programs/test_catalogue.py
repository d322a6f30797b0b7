from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from devstack.programs import CORE, FULL, catalogue
from devstack.programs.catalogue import MODULES, VERSIONS, minimum_go, read_spec
from devstack.programs.golang import parse_version
from devstack.programs.model import Debian, GoBuild, ProgramSpec, Wheel

MODULE = {"version": "1", "summary": "x", "main": "x", "cost": {"seconds": 1, "kept": 1}}


def test_every_program_of_a_profile_is_pinned() -> None:
    assert set(FULL) <= set(catalogue())
    assert set(CORE) < set(FULL)


def test_the_core_profile_needs_no_package_of_the_distribution() -> None:
    assert [name for name in CORE if catalogue()[name].debian] == []


def test_programs_of_the_full_profile_have_no_file_name_in_common() -> None:
    names = [name for program in FULL for name in file_names(catalogue()[program])]

    assert sorted(set(names)) == sorted(names)


def file_names(spec: ProgramSpec) -> list[str]:
    names: set[str] = set()
    for source in spec.sources:
        match source:
            case GoBuild():
                names |= {*source.packages, *source.links}
            case Wheel() | Debian():
                names |= set(source.files)
            case _:
                continue
    return sorted(names)


@pytest.mark.parametrize("spec", catalogue().values(), ids=lambda spec: spec.name)
def test_a_program_has_its_main_file_and_a_source(spec: ProgramSpec) -> None:
    assert spec.sources
    assert not spec.main or spec.main in file_names(spec)


@pytest.mark.parametrize(
    "wheel",
    [
        source
        for spec in catalogue().values()
        for source in spec.sources
        if isinstance(source, Wheel)
    ],
    ids=lambda wheel: wheel.project,
)
def test_wheels_are_pinned_for_both_machines(wheel: Wheel) -> None:
    assert set(wheel.sha256) == {"x86_64", "aarch64"}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in wheel.sha256.values())


def test_the_pinned_go_is_new_enough_for_every_module() -> None:
    modules = [path.read_text() for path in MODULES.glob("*/go.mod")]
    wanted = [
        parse_version(found[1])
        for text in modules
        if (found := re.search(r"^go (.+)$", text, re.MULTILINE))
    ]

    assert len(wanted) == len(modules)
    assert parse_version(catalogue()["go"].version) >= parse_version(minimum_go()) >= max(wanted)


def test_the_pinned_version_is_the_one_the_module_requires() -> None:
    pins = tomllib.loads(VERSIONS.read_text())["programs"]
    required = {
        "kubernetes": "k8s.io/kubernetes",
        "argo": "github.com/argoproj/argo-workflows/v3",
        "coredns": "github.com/coredns/coredns",
        "metrics-server": "sigs.k8s.io/metrics-server",
        "cilium-crds": "github.com/cilium/cilium",
        "policy-enforcer": "github.com/cilium/cilium",
        "policy-oracle": "github.com/cilium/cilium",
    }
    text = "".join(path.read_text() for path in MODULES.glob("*/go.mod"))
    for name, module in required.items():
        assert f"{module} v{pins[name]['version']}\n" in text


def spec_of(modules: Path, **changed: object) -> ProgramSpec:
    table = {**MODULE, "go": {"module": "tool", "packages": {"x": "."}}, **changed}
    return read_spec("x", table, modules)


def test_the_key_follows_the_code_of_the_module(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    main = tmp_path / "tool" / "main.go"
    main.write_text("package main")
    before = spec_of(tmp_path).key
    main.write_text("package main // changed")

    assert spec_of(tmp_path).key != before


def test_the_key_does_not_follow_other_programs_of_the_module(tmp_path: Path) -> None:
    for package in ("ours", "theirs"):
        (tmp_path / "tool" / package).mkdir(parents=True)
        (tmp_path / "tool" / package / "main.go").write_text("package main")
    table = {"go": {"module": "tool", "packages": {"x": "./ours"}}}
    before = spec_of(tmp_path, **table).key
    (tmp_path / "tool" / "theirs" / "main.go").write_text("package main // changed")
    untouched = spec_of(tmp_path, **table).key
    (tmp_path / "tool" / "ours" / "main.go").write_text("package main // changed")

    assert untouched == before
    assert spec_of(tmp_path, **table).key != before


def test_the_key_does_not_follow_what_acquiring_costs(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    before = spec_of(tmp_path).key

    assert spec_of(tmp_path, cost={"seconds": 99, "kept": 7}).key == before

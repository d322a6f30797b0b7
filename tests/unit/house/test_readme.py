"""The README and the other documents: short, and every command and link in them is real."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.lazy import LazyCommand
from cli.main import app

DOCUMENTS = ("*.md", "docs/**/*.md", "examples/**/*.md")
LINK = re.compile(r"\[[^\]]+]\(([^)\s]+)\)")


def documents(root: Path) -> list[Path]:
    return sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})


def named_commands(text: str) -> list[str]:
    """Every `pavane ...` of inline code and of the lines of code blocks, without comments."""
    blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    places = [
        *(line for block in blocks for line in block.splitlines()),
        *re.findall("`([^`]+)`", prose),
    ]
    found = [
        match[1].strip()
        for place in places
        for match in re.finditer(r"(?:^|\$\()pavane ([^#|;)&]+)", place)
    ]
    assert found
    return found


def test_readme_is_short(root: Path) -> None:
    assert len((root / "README.md").read_text().splitlines()) < 150


def test_readme_begins_with_the_two_commands(root: Path) -> None:
    text = (root / "README.md").read_text()
    (first, *_) = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_every_make_target_named_exists(root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), flags=re.MULTILINE))
    for document in documents(root):
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), flags=re.MULTILINE))
        assert named <= targets, f"{document.name}: {named - targets}"


@pytest.mark.parametrize(
    "line", named_commands((Path(__file__).parents[3] / "README.md").read_text())
)
def test_every_pavane_command_of_the_readme_exists(line: str) -> None:
    words = line.split()
    command: Any = get_command(app)
    while isinstance(command, TyperGroup) and words and re.fullmatch("[a-z-]+", words[0]):
        name = words.pop(0)
        found = command.get_command(typer.Context(command), name)
        assert found is not None, f"there is no command {name}"
        command = found.load() if isinstance(found, LazyCommand) else found
    offered = {option for one in command.params for option in one.opts}
    used = {word for word in words if word.startswith("-")}
    assert used <= offered | {"--help"}, f"{line}: {used - offered}"


def test_every_link_to_a_file_resolves(root: Path) -> None:
    broken = [
        f"{document.relative_to(root)} -> {target}"
        for document in documents(root)
        for target in LINK.findall(document.read_text())
        if not re.match(r"https?://|#|mailto:", target)
        and not (document.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []


def test_every_decision_named_in_the_code_is_there(root: Path) -> None:
    known = {path.name[:4] for path in (root / "docs/decisions").glob("[0-9]*.md")}
    packages = ("api", "cli", "clients", "domain", "intake", "runtime", "workflows", "activities")
    named = {
        number
        for package in packages
        for module in (root / package).rglob("*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", module.read_text())
    }
    assert named
    assert named <= known

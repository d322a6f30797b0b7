"""Small programs to acquire, and a server that offers their releases."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from devstack.programs.catalogue import machine
from devstack.programs.model import Cost, ProgramSpec, Release, Source


@dataclass
class ReleaseServer:
    """Serves what is put into `content`; `gate` holds every download until it is set.

    Downloads in `endless` never end, and those in `after` begin after their event.
    """

    address: str
    content: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    endless: dict[str, threading.Event] = field(default_factory=dict)
    after: dict[str, threading.Event] = field(default_factory=dict)
    gate: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)

    def offer(self, path: str, content: bytes, files: Mapping[str, str]) -> Release:
        self.content[path] = content
        return Release(
            url={machine(): f"{self.address}{path}"},
            sha256={machine(): hashlib.sha256(content).hexdigest()},
            files=files,
        )


def program(name: str, *sources: Source, main: str | None = None, kept: int = 0) -> ProgramSpec:
    return ProgramSpec(
        name=name,
        version="1.2.3",
        summary=f"the program {name}",
        main=name if main is None else main,
        sources=sources,
        cost=Cost(typical=timedelta(seconds=5), kept=kept),
        key="1.2.3-abc",
    )


def packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

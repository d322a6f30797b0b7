"""The folder of one stack: where everything it keeps lives, and the lock on it."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from devstack.errors import AlreadyRunning, DevstackError
from devstack.files import write_atomically

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class StateDir:
    """Paths inside the folder of one stack."""

    root: Path

    @property
    def data(self) -> Path:
        """What must survive `down`: one folder a component."""
        return self.root / "data"

    @property
    def config(self) -> Path:
        """Generated configuration; written again at every `up`."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One log file a component."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """The certificate authority of the stack, its certificates and keys."""
        return self.root / "pki"

    @property
    def secrets(self) -> Path:
        """Generated passwords, tokens and webhook secrets; only the owner may enter."""
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        """Sockets and other things without meaning after `down`; only the owner may enter."""
        return self.root / "run"

    @property
    def record(self) -> Path:
        """Ports, endpoints, process ids and start times of the running stack."""
        return self.root / "stack.json"

    @property
    def faults(self) -> Path:
        """Faults begun on purpose that would outlive the processes of the stack."""
        return self.root / "faults.json"

    @property
    def socket(self) -> Path:
        """The control socket of the supervisor."""
        return self.run / "supervisor.sock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    def create(self) -> None:
        """Creates the folders; safe to repeat."""
        for folder in (self.root, self.data, self.config, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.pki, self.secrets, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)

    def log(self, name: str) -> Path:
        """The log file of a component."""
        return self.logs / f"{name}.log"

    def keep_outside(self, folder: Path) -> None:
        """Remembers a folder or file that had to be elsewhere: it is deleted with this one."""
        if folder.is_relative_to(self.root):
            return
        known = {*self._outside(), folder}
        write_atomically(self._outside_file, json.dumps(sorted(str(one) for one in known)))

    def delete(self) -> None:
        """Deletes the folder and all data in it, and what had to be elsewhere."""
        for place in self._outside():
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        shutil.rmtree(self.root, ignore_errors=False)

    @property
    def _outside_file(self) -> Path:
        return self.root / "outside.json"

    def _outside(self) -> list[Path]:
        file = self._outside_file
        return [Path(one) for one in json.loads(file.read_text())] if file.exists() else []


def state_dir(name: str) -> StateDir:
    """Finds the folder of a stack: PAVANE_STATE_DIR, or the person's state folder, then the name.

    Raises:
        DevstackError: the name cannot be a folder and part of host names.
    """
    if not _NAME.fullmatch(name):
        message = f"stack name {name!r} must be lower-case letters, digits and dashes, at most 32"
        raise DevstackError(message)
    given = os.environ.get("PAVANE_STATE_DIR")
    base = Path(given).absolute() if given else platformdirs.user_state_path("pavane")
    return StateDir(base / "stacks" / name)


@contextmanager
def locked(state: StateDir) -> Iterator[None]:
    """Holds the stack against a second command that changes it.

    Raises:
        AlreadyRunning: another command holds it.
    """
    state.root.mkdir(parents=True, exist_ok=True)
    with (state.root / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another command is working on the stack in {state.root}; wait for it to end"
            raise AlreadyRunning(message) from None
        yield

"""Acquires every program the local stack runs, once for each pinned version, into a shared cache.

The one question other packages ask is `ensure`::

    with reporter() as progress:
        programs = ensure(CORE, progress=progress)
    programs["kubernetes"].files["kube-apiserver"]

`index(programs)` gives all files of all programs by file name. The pins are in
`devstack/versions.toml`; the cache is `${PAVANE_CACHE_DIR}/programs/NAME/KEY/`, by default in the
person's cache folder. `python -m devstack.programs` does the same from a shell.
"""

from devstack.programs.acquire import ensure
from devstack.programs.catalogue import CORE, FULL, PROFILES, catalogue
from devstack.programs.errors import PackagesMissing, ProgramUnavailable
from devstack.programs.model import Program, ProgramSpec, index
from devstack.programs.preflight import Space, required_space
from devstack.programs.progress import Progress, Silent, reporter

__all__ = [
    "CORE",
    "FULL",
    "PROFILES",
    "PackagesMissing",
    "Program",
    "ProgramSpec",
    "ProgramUnavailable",
    "Progress",
    "Silent",
    "Space",
    "catalogue",
    "ensure",
    "index",
    "reporter",
    "required_space",
]

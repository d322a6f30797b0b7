#!/usr/bin/env bash
# Creates .venv with Python 3.11 or newer and installs exactly what requirements/dev.lock pins.
# Safe to run again: does nothing while the stamp in .venv matches the lock and pyproject.toml.
# PYTHON=... chooses the interpreter of a new .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly venv=.venv stamp=.venv/pavane.stamp lock=requirements/dev.lock

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13 python3.14}; do
    if is_new_enough "$candidate"; then command -v "$candidate"; return; fi
  done
  fail "Python 3.11 or newer is needed, found: $(python3 --version 2>/dev/null || echo none)." \
    "Install it (Debian 12: apt-get install python3 python3-venv) or name it: PYTHON=/path make setup"
}

# Debian ships `venv` in a package of its own.
need_venv_module() {
  "$1" -c 'import venv, ensurepip' 2>/dev/null && return
  local package
  package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing the Debian package $package"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 ||
      fail "$package could not be installed; run apt-get update, then make setup again"
  else
    fail "$1 has no venv module. As root: apt-get install $package"
  fi
}

create_venv() {
  local python
  python=$(find_python)
  need_venv_module "$python"
  say "creating $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
}

wanted() { sha256sum "$lock" pyproject.toml scripts/setup.sh; }

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && is_new_enough "$venv/bin/python"; then
  exit 0
fi

is_new_enough "$venv/bin/python" || create_venv
rm -f "$stamp"

pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

say "installing $(grep -c '==' "$lock") pinned packages from $lock (each checked against its hash)"
# The lock is complete, so nothing is left to resolve: pip's resolver would take a newer release of
# a package that another one asks for with an extra, and then refuse it for having no hash.
pip install --no-deps --require-hashes --requirement "$lock"
say "installing pavane itself, editable"
# The compat mode puts this folder on the path, so packages added later are found too.
pip install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
pip check
# Last, so that an interrupted installation is repeated.
wanted >"$stamp"
say "ready: $venv/bin/pavane"

#!/bin/sh
# Makes the unseal key once. Losing it loses everything OpenBao keeps.
set -eu
umask 077
key=${KEYS:-/openbao/keys}/unseal.key
if [ ! -f "$key" ]; then
  head -c 32 /dev/urandom >"$key.new"
  mv "$key.new" "$key"
fi
if [ -n "${OWNER:-}" ]; then chown "$OWNER" "$key"; fi

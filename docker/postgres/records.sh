#!/bin/sh
# Makes the database of Pavane's records and its owner. Safe to repeat; PGPASSWORD by environment.
# Its owner makes the tables: the worker does when it starts.
set -eu
ask() { psql -v ON_ERROR_STOP=1 -h postgres -U temporal -d postgres -v password="$PGPASSWORD" "$@"; }
[ -n "$(ask -tAc "SELECT 1 FROM pg_roles WHERE rolname = 'pavane'")" ] || ask -c "CREATE ROLE pavane LOGIN"
echo "ALTER ROLE pavane PASSWORD :'password'" | ask
[ -n "$(ask -tAc "SELECT 1 FROM pg_database WHERE datname = 'pavane'")" ] || ask -c "CREATE DATABASE pavane OWNER pavane"

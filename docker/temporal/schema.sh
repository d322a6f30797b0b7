#!/bin/sh
# Creates or upgrades Temporal's two databases. Safe to repeat; SQL_PASSWORD comes by environment.
set -eu
tool() { # database, then the command of temporal-sql-tool
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db "$database" "$@"
}
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  tool "$database" create
  # Refused when the schema is there already; update-schema then tells whether it can be used.
  tool "$database" setup-schema -v 0.0 || echo "$database: schema is there"
  tool "$database" update-schema --schema-name "postgresql/v12/${pair##*:}"
done

#!/bin/sh
# Begins as the public image does: the server reads these variables, and those of docker-compose.yml, by
# the configuration that is compiled into it.
set -eu
address=$(getent hosts "$(hostname)" | awk '{ print $1; exit }')
: "${BIND_ON_IP:=$address}"
[ "$BIND_ON_IP" != 0.0.0.0 ] || : "${TEMPORAL_BROADCAST_ADDRESS:=$address}"
export BIND_ON_IP TEMPORAL_BROADCAST_ADDRESS
exec temporal-server start

#!/bin/sh
# Stands in for the Temporal server: the same program family on SQLite, because its image for
# PostgreSQL cannot be had. Port, metrics, dynamic configuration and namespace are the same.
set -eu
exec temporal server start-dev --ip=0.0.0.0 --port=7233 --ui-ip=0.0.0.0 --ui-port=8080 \
  --metrics-port=8000 --db-filename=/data/temporal.sqlite --sqlite-pragma=journal_mode=wal \
  --sqlite-pragma=synchronous=2 --log-level=warn \
  --dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=true \
  --dynamic-config-value=history.transferProcessorMaxPollRPS=1000 \
  --dynamic-config-value=history.timerProcessorMaxPollRPS=1000 \
  --dynamic-config-value=history.visibilityProcessorMaxPollRPS=1000 \
  --dynamic-config-value=matching.enableFairness=true

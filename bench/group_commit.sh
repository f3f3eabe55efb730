#!/usr/bin/env bash
# How many write sets share one fsync under load, and what one order costs on an idle server.
# Needs build/jumun, wrk, curl, jq. Prints a table; writes nothing but a temporary data folder.
#   SECONDS_EACH (10)  CONNECTIONS ("1 16 64 256")  SKUS (16)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=bench/server.sh
. bench/server.sh
start_server
stock_up "${SKUS:-16}"

figure() { curl -s "$OPS/admin/v1/storage" | jq -r ".$1"; }
printf '%11s %10s %10s %16s %13s %13s\n' connections orders/s commits/s 'write sets/fsync' 'p50 (wrk)' 'p99 (wrk)'
for connections in ${CONNECTIONS:-1 16 64 256}; do
  sets=$(figure write_sets) commits=$(figure commits)
  out=$(WAIT=10 wrk -t1 -c"$connections" -d"${SECONDS_EACH:-10}s" --latency -s bench/place_order.lua "$SHOP")
  sets=$(($(figure write_sets) - sets)) commits=$(($(figure commits) - commits))
  awk -v c="$connections" -v s="$sets" -v n="$commits" -v d="${SECONDS_EACH:-10}" '
    /Requests\/sec/ {rate=$2} /50%/ {p50=$2} /99%/ {p99=$2}
    END {printf "%11d %10.0f %10.0f %16.1f %13s %13s\n", c, rate, n/d, s/n, p50, p99}' <<<"$out"
done
stop_server
build/jumun check "$DATA"

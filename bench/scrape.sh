#!/usr/bin/env bash
# How long a scrape of /metrics takes, with nothing open and with many sagas in flight.
# Needs build/jumun, wrk, curl, jq. Prints a table; writes nothing but a temporary data folder.
#   OPEN (50000)  SKUS (16)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
export JUMUN_PAYMENT_TIMEOUT_MS=100000 TOKEN=tok_timeout # charged orders wait: their sagas stay open
# shellcheck source=bench/server.sh
. bench/server.sh
start_server
stock_up "${SKUS:-16}"

open() { curl -s "$OPS/metrics" | awk '/^jumun_sagas_open/ {n += $2} END {print n + 0}'; }
scrapes() { # milliseconds: the median of 21, and their size
  for _ in {1..21}; do
    curl -so /dev/null -w '%{time_total} %{size_download}\n' "$OPS/metrics"
  done | sort -n | awk -v open="$(open)" 'NR == 11 {printf "%10d %9.1f ms %9d bytes\n", open, $1 * 1000, $2}'
}
printf '%10s %12s %15s\n' open median size
scrapes
while (($(open) < ${OPEN:-50000})); do
  wrk -t1 -c64 -d2s -s bench/place_order.lua "$SHOP" >/dev/null
done
scrapes
stop_server

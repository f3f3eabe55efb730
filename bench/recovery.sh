#!/usr/bin/env bash
# Does a start depend on history? Kills a server with few, then with ORDERS settled orders, and times the
# next start until it is ready; then with IN_FLIGHT orders whose payment is still under way.
# Needs build/jumun, wrk, curl, jq.   ORDERS (100000)  IN_FLIGHT (5000)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=bench/server.sh
. bench/server.sh

orders() { # how many, token
  local left=$1
  while ((left > 0)); do
    left=$((left - $(TOKEN=$2 wrk -t1 -c64 -d2s -s bench/place_order.lua "$SHOP" | awk '/^orders/ {print $2}')))
  done
}
sagas() { curl -s "$OPS/admin/v1/actors" | jq '[.data[] | select(.kind == "saga")] | length'; }
crash_and_time() {
  local before after
  kill -9 "$PID"; wait "$PID" 2>/dev/null || true
  before=$(date +%s%N)
  start_server
  after=$(date +%s%N)
  printf '%-38s ready after %5d ms, %6d sagas revived\n' "$1" $(((after - before) / 1000000)) "$(sagas)"
}

start_server
stock_up 16
orders 100 tok_approve
settle() { until [[ $(sagas) == 0 ]]; do sleep 0.2; done; } # a wait for the load to end, not a test
settle
crash_and_time 'about 100 settled orders:'
orders "${ORDERS:-100000}" tok_approve
settle
crash_and_time "at least ${ORDERS:-100000} settled orders:"
orders "${IN_FLIGHT:-5000}" tok_slow_600000
crash_and_time "and at least ${IN_FLIGHT:-5000} in flight:"
stop_server
du -sh "$DATA" | awk '{print "data folder: " $1}'

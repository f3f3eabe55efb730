#!/usr/bin/env bash
# Does a start depend on history? Kills a server after more and more settled orders (ORDERS/4, /2, /1 on
# top of each other), and times the next start until it is ready; then with IN_FLIGHT orders whose payment
# is still under way.
# Needs build/jumun, wrk, curl, jq.   ORDERS (100000)  IN_FLIGHT (5000)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=bench/server.sh
. bench/server.sh

placed=0
orders() { # at least how many, token
  local left=$1 n
  while ((left > 0)); do
    n=$(TOKEN=$2 wrk -t1 -c64 -d2s -s bench/place_order.lua "$SHOP" | awk '/^orders/ {print $2}')
    left=$((left - n)) placed=$((placed + n))
  done
}
sagas() { curl -s "$OPS/admin/v1/actors" | jq '[.data[] | select(.kind == "saga")] | length'; }
settle() { until [[ $(sagas) == 0 ]]; do sleep 0.2; done; } # waits for the load to end
crash_and_time() {
  local before
  kill -9 "$PID"; wait "$PID" 2>/dev/null || true
  before=$(date +%s%N)
  start_server
  printf '%8d orders placed, %6d of them in flight: ready after %5d ms (log to replay: %s)\n' \
    "$placed" "$(sagas)" $((($(date +%s%N) - before) / 1000000)) "$log"
}
crash() { log=$(du -ch "$DATA"/*.log | awk 'END {print $1}'); crash_and_time; }

start_server
stock_up 16
crash
for share in 4 2 1; do
  orders $((${ORDERS:-100000} / share)) tok_approve
  settle
  crash
done
orders "${IN_FLIGHT:-5000}" tok_slow_600000
crash
stop_server
du -sh "$DATA" | awk '{print "data folder: " $1}'

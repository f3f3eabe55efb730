#!/usr/bin/env bash
# What do readers of the event feed cost the orders? Pairs of short runs on one server, without
# readers and with them, in turn. CONNECTIONS clients place an order, wait until it has settled, and
# pause for DELAY_MS: about 2,000 orders/s and 10,000 events/s. DELAY_MS=0: as fast as they can.
# Needs build/jumun, wrk, curl, python3. Prints each run, and the ratio of the medians. Server, load
# and readers share the cores: read the ratio, not the figures.
#   PAIRS (5)  SECONDS_EACH (6)  READERS (8)  DELAY_MS (13)  CONNECTIONS (32)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=bench/server.sh
. bench/server.sh
start_server
stock_up "${SKUS:-16}"

readers=()
start_readers() {
  local i
  for ((i = 0; i < ${READERS:-8}; i++)); do
    curl -sN "$SHOP/v1/events?after=latest" -H 'Accept: text/event-stream' >"$DATA.events.$i" &
    readers+=($!)
  done
  sleep 0.3
}
stop_readers() {
  kill "${readers[@]}" 2>/dev/null || true
  wait "${readers[@]}" 2>/dev/null || true
  readers=()
}

for ((pair = 0; pair < ${PAIRS:-5}; pair++)); do
  for with in 0 1; do
    ((with)) && start_readers
    WAIT=10 DELAY_MS=${DELAY_MS:-13} wrk -t1 -c"${CONNECTIONS:-32}" -d"${SECONDS_EACH:-6}s" --latency \
      -s bench/place_order.lua "$SHOP" | awk -v with="$with" '
        function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
        /Requests\/sec/ {rate = $2} /50%/ {p50 = ms($2)} /99%/ {p99 = ms($2)}
        END {print with, rate, p50, p99}' | tee -a "$DATA.runs"
    if ((with)); then
      sleep 0.5
      stop_readers
      grep -c '^id:' "$DATA".events.* | cut -d: -f2 | sort -n | sed -n '1s/^/  least events of a reader: /p'
    fi
  done
done
python3 - "$DATA.runs" <<'PY'
import statistics, sys
runs = [line.split() for line in open(sys.argv[1])]
for name, column in (("orders/s", 1), ("p50 ms", 2), ("p99 ms", 3)):
    without, having = ([float(r[column]) for r in runs if r[0] == w] for w in "01")
    spread = (max(without) - min(without)) / statistics.median(without)
    print(f"{name}: without {statistics.median(without):.2f}, with {statistics.median(having):.2f}, "
          f"ratio {statistics.median(having) / statistics.median(without):.3f} "
          f"(spread of the runs without: {spread:.0%})")
PY
stop_server

# Sourced by the benches: one server on a temporary folder and free ports. Sets PID, SHOP, OPS, DATA.
# BUILD: the folder with the binary (build).
DATA=$(mktemp -d "${TMPDIR:-/tmp}/jumun-bench.XXXXXX")
PID=''
trap '[[ -z $PID ]] || kill -9 "$PID" 2>/dev/null; rm -rf "$DATA" "$DATA".*' EXIT

start_server() {
  rm -f "$DATA.address"
  "${BUILD:-build}"/jumun serve --data-dir "$DATA" --port 0 --ops-port 0 --address-file "$DATA.address" \
    --log-level warn >"$DATA.out" 2>>"$DATA.log" &
  PID=$!
  until [[ -s $DATA.address ]]; do
    kill -0 "$PID" 2>/dev/null || { cat "$DATA.log" >&2; exit 1; }
    sleep 0.005
  done
  SHOP=$(sed -n 's/^public=//p' "$DATA.address") OPS=$(sed -n 's/^ops=//p' "$DATA.address")
}
stop_server() { kill -TERM "$PID"; wait "$PID" || true; PID=''; }

stock_up() { # number of SKUs
  local i
  for ((i = 0; i < $1; i++)); do
    curl -sfX PUT "$SHOP/v1/products/bench-$i" -H 'Content-Type: application/json' \
      -d '{"name":"Cup","unit_price":{"amount":100,"currency":"KRW"}}' >/dev/null
    curl -sf "$SHOP/v1/inventory/bench-$i/adjustments" -H 'Content-Type: application/json' \
      -d '{"delta":100000000,"reason":"bench"}' >/dev/null
  done
}

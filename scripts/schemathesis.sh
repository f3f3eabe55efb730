#!/usr/bin/env bash
# Plays requests that Schemathesis derives from /openapi.json against a server of its own, in dev mode, on free ports:
# no answer may be a 5xx, and none may have a status, a media type or a body that the description does not have.
# Exits 0 when that holds. Needs PyPI (the tool lives in a venv under the build folder); takes a few minutes at most.
#   SCHEMATHESIS_EXAMPLES   test cases per operation (20)    SCHEMATHESIS_SEED  (1)    further arguments go to the tool
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

version=4.32.5
build=${JUMUN_BUILD_DIR:-build} binary=${JUMUN_BINARY:-${JUMUN_BUILD_DIR:-build}/jumun} venv=${JUMUN_BUILD_DIR:-build}/schemathesis
die() { printf 'schemathesis: %s\n' "$*" >&2; exit 1; }
[[ -x $binary ]] || die "there is no $binary: scripts/build.sh makes it"
if [[ $("$venv/bin/schemathesis" --version 2>/dev/null) != *"$version"* ]]; then
  python3 -m venv "$venv" || die 'python3 -m venv failed: apt-get install python3-venv'
  "$venv/bin/pip" install -q "schemathesis==$version"
fi
tool=$(realpath "$venv/bin/schemathesis")

dir=$(mktemp -d) server=
cleanup() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server"; } || true
  rm -rf -- "$dir"
}
trap cleanup EXIT
"$binary" serve --data-dir "$dir/data" --port 0 --ops-port 0 --address-file "$dir/address" \
  >"$dir/out" 2>"$dir/log" &
server=$!
for ((tries = 0; tries < 600; ++tries)); do
  [[ ! -e $dir/address ]] || break
  kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; die 'the server ended at once'; }
  sleep 0.05
done
[[ -e $dir/address ]] || die 'the server was not ready within 30 s'
public=$(sed -n 's/^public=//p' "$dir/address") ops=$(sed -n 's/^ops=//p' "$dir/address")

# A product, its stock, and an order that is paid, cancelled and has all the rest: requests shall get past the 404.
ask() { curl -sSf --max-time 60 -H 'Content-Type: application/json' "$@"; }
ask -o /dev/null -X PUT -H 'If-None-Match: *' "$public/v1/products/schemathesis" \
  -d '{"name":"Tea","unit_price":{"amount":4500,"currency":"KRW"}}'
ask -o /dev/null -H 'Idempotency-Key: stock' "$public/v1/inventory/schemathesis/adjustments" \
  -d '{"delta":1000000,"reason":"receipt"}'
order=$(ask -H 'Idempotency-Key: order' -H 'Prefer: wait=30' "$public/v1/orders" \
  -d '{"customer_id":"c","lines":[{"sku":"schemathesis","quantity":1}],"payment":{"method":"card","token":"tok_approve"},
       "shipping_address":{"line1":"a","city":"b","country":"KR"}}' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
ask -o /dev/null -H 'Idempotency-Key: cancel' "$public/v1/orders/$order/cancellations" -d '{"reason":"a test"}'
number=${order#ord_}

# No TRACE: 501 is what it must be answered with, and the tool takes each 5xx for a fault. The ids are for routes whose
# others are all 404; those of orders are made up by the tool, and found by it.
cat >"$dir/schemathesis.toml" <<END
[phases.coverage]
unexpected-methods = ["GET", "PUT", "POST", "DELETE", "PATCH"]
[[operations]]
include-path-regex = "^/v1/payments/"
parameters = { "path.id" = "pay_$number" }
[[operations]]
include-path-regex = "^/v1/deliveries/"
parameters = { "path.id" = "dlv_$number" }
[[operations]]
include-path-regex = "/cancellations/.cxl.$"
parameters = { "path.id" = "$order", "path.cxl" = "cxl_$number" }
[[operations]]
include-path-regex = "^/admin/v1/sagas/.order.$"
parameters = { "path.order" = "$order" }
END
faults=0
# run NAME BASE ARGUMENTS…
run() {
  local name=$1 base=$2
  shift 2
  printf '\n== %s: %s\n' "$name" "$base"
  (cd "$dir" && "$tool" run "$public/openapi.json" --url "$base" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases examples,coverage,fuzzing --max-examples "${SCHEMATHESIS_EXAMPLES:-20}" --seed "${SCHEMATHESIS_SEED:-1}" \
    --generation-database none --request-timeout 40 --suppress-health-check all --continue-on-failure "$@") || faults=1
}
run public "$public" --include-path-regex '^/v1/' "$@"
# Moves and drains are left out: after those a server refuses the rest, as it should.
run ops "$ops" --exclude-path-regex '^/v1/|/(drain|move)$' "$@"
kill -0 "$server" 2>/dev/null || { tail "$dir/log" >&2; die 'the server died'; }
((faults == 0)) || { grep -h '"level":"error"' "$dir/log" | head >&2 || true; die 'faults were found; see above'; }

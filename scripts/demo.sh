#!/usr/bin/env bash
# Plays a shop's day with curl against a running server and prints what a person wants to see: a menu,
# stock, an order that is paid and delivered, one that is cancelled, a declined card, a shelf that is
# empty, and the provider's ledger. Stops with an error as soon as something is not as expected.
#   BASE  the public listener (default http://127.0.0.1:8080)
#   OPS   the ops listener    (default http://127.0.0.1:9090)
# When none is given and none runs there, it starts build/jumun on a folder of its own, and at the end
# kills it with -9 to show that it all comes back.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

binary=${JUMUN_BUILD_DIR:-build}/jumun
own_dir='' own_pid=''
run=$(date +%s%N) # makes this run's idempotency keys its own
keys=0
body='' status='' headers=''

if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '   %s\n' "$*"; }
fail() {
  printf '\ndemo: NOT AS EXPECTED: %s\n' "$*" >&2
  [[ -z $body ]] || printf '      last answer: %s %s\n' "$status" "$body" >&2
  exit 1
}

cleanup() {
  if [[ -n $own_pid ]]; then
    kill "$own_pid" 2>/dev/null || true
    wait "$own_pid" 2>/dev/null || true
  fi
  [[ -z $own_dir ]] || rm -rf -- "$own_dir"
}
trap cleanup EXIT
scratch=$(mktemp)
trap 'cleanup; rm -f -- "$scratch"' EXIT

# call METHOD URL [JSON [curl options…]]: sets status, headers and body; prints the request.
call() {
  local method=$1 url=$2 json=${3:-} options=()
  (($# < 3)) || shift
  shift 2
  [[ -z $json ]] || options+=(-H 'Content-Type: application/json' -d "$json")
  if [[ $method == POST ]]; then options+=(-H "Idempotency-Key: demo-$run-$((++keys))"); fi
  printf '   %s%s %s %s%s\n' "$dim" "$method" "${url#"$BASE"}" "$json" "$plain"
  body=$(curl -sS --max-time 40 -X "$method" -D "$scratch" -w '\n%{http_code}' "${options[@]}" "$@" "$url") ||
    fail "$method $url: no answer"
  headers=$(<"$scratch")
  status=${body##*$'\n'}
  body=${body%$'\n'*}
}
# expect CODE: what the last call must have been answered with.
expect() { [[ " $* " == *" $status "* ]] || fail "status $status, expected $*"; }
# field FILTER: a value from the last answer.
field() { jq -r "$1" <<<"$body"; }
# expect_field FILTER VALUE
expect_field() {
  local found
  found=$(field "$1")
  [[ $found == "$2" ]] || fail "$1 is $found, expected $2"
}
show() { jq -c "$1" <<<"$body" | sed 's/^/   → /'; }
quiet_get() { # URL: sets body without printing the request
  body=$(curl -sSf --max-time 40 "$1") || fail "GET $1: no answer"
}

# await ORDER FILTER VALUE: follows the order by long poll until FILTER says VALUE.
await() {
  local order=$1 filter=$2 value=$3 etag='' deadline=$((SECONDS + 60)) code
  while ((SECONDS < deadline)); do
    code=$(curl -sS --max-time 40 -o "$scratch.body" -D "$scratch" -w '%{http_code}' \
      ${etag:+-H "If-None-Match: $etag"} -H 'Prefer: wait=5' "$BASE/v1/orders/$order")
    if [[ $code == 200 ]]; then
      body=$(<"$scratch.body") status=200
      etag=$(tr -d '\r' <"$scratch" | sed -n 's/^[Ee][Tt]ag: *//p')
      [[ $(field "$filter") != "$value" ]] || { rm -f -- "$scratch.body"; return 0; }
    fi
  done
  fail "order $order: $filter did not become $value within 60 s"
}

stock_of() { # SKU: prints "on_hand reserved available"
  curl -sSf --max-time 40 "$BASE/v1/inventory/$1" | jq -r '"\(.on_hand) \(.reserved) \(.available)"'
}
show_stock() { # WHEN
  local sku on_hand reserved available
  for sku in americano croissant; do
    read -r on_hand reserved available < <(stock_of "$sku")
    note "$1: $sku on hand $on_hand, reserved $reserved, available $available"
  done
}
available() { stock_of "$1" | cut -d' ' -f3; }

# history ORDER: prints the names of its events, with times.
history() {
  quiet_get "$BASE/v1/orders/$1/events"
  jq -r '.data[] | "   \(.sequence)  \(.time)  \(.type)\(if .data.sku then "  \(.data.sku) ×\(.data.quantity)" else "" end)\(if .data.amount then "  \(.data.amount.amount) \(.data.amount.currency)" else "" end)"' <<<"$body"
}
# expect_history ORDER TYPE…: exactly these, in this order, gapless, and each in GET /v1/events too.
expect_history() {
  local order=$1 found
  shift
  quiet_get "$BASE/v1/orders/$order/events"
  found=$(field '[.data[].type] | join(" ")')
  [[ $found == "$*" ]] || fail "events of $order: $found; expected: $*"
  [[ $(field '[.data[].sequence] == [range(1; (.data | length) + 1)]') == true ]] ||
    fail "the sequence of $order has gaps"
  quiet_get "$BASE/v1/events?key=$order&limit=200"
  [[ $(field '[.data[].type] | join(" ")') == "$*" ]] || fail "GET /v1/events differs from the history"
}

order_json() { # TOKEN LINES
  jq -cn --arg token "$1" --argjson lines "$2" '{customer_id: "c-42", lines: $lines,
    payment: {method: "card", token: $token},
    shipping_address: {line1: "1 Sejong-daero", city: "Seoul", country: "KR"}}'
}
ledger_of() { # ORDER: prints its ledger lines as "kind:amount", in order
  curl -sSf --max-time 40 "$OPS/admin/v1/simulator/ledger" |
    jq -r --arg order "$1" '[.data[] | select(.order_id == $order) | "\(.kind):\(.amount)"] | join(" ")'
}

start_own_server() {
  [[ -x $binary ]] || fail "no server answers on $OPS, and there is no $binary: scripts/build.sh makes it"
  rm -f -- "$own_dir/address"
  "$binary" serve --data-dir "$own_dir/data" --port 0 --ops-port 0 --address-file "$own_dir/address" \
    >>"$own_dir/out" 2>>"$own_dir/log" &
  own_pid=$!
  local tries
  for ((tries = 0; tries < 600; ++tries)); do
    [[ ! -e $own_dir/address ]] || break
    kill -0 "$own_pid" 2>/dev/null || { cat -- "$own_dir/log" >&2; fail "the server ended at once"; }
    sleep 0.05
  done
  [[ -e $own_dir/address ]] || fail "the server was not ready within 30 s"
  BASE=$(sed -n 's/^public=//p' "$own_dir/address")
  OPS=$(sed -n 's/^ops=//p' "$own_dir/address")
}

# -- which server ---------------------------------------------------------------------------------

given=${BASE:+yes}${OPS:+yes}
BASE=${BASE:-http://127.0.0.1:8080}
OPS=${OPS:-http://127.0.0.1:9090}
if curl -sf --max-time 5 -o /dev/null "$OPS/readyz"; then
  note "server: $BASE, ops: $OPS"
elif [[ -n $given ]]; then
  fail "no ready server answers on $OPS"
else
  own_dir=$(mktemp -d)
  start_own_server
  note "no server ran, so this one was started for the demo: $BASE, ops: $OPS"
fi

# -- the scenario -----------------------------------------------------------------------------------

step "A menu: products with prices"
call PUT "$BASE/v1/products/americano" '{"name":"Americano","unit_price":{"amount":4500,"currency":"KRW"}}'
expect 200 201
call PUT "$BASE/v1/products/croissant" '{"name":"Croissant","unit_price":{"amount":3800,"currency":"KRW"}}'
expect 200 201
quiet_get "$BASE/v1/products?limit=200"
jq -r '.data[] | "   \(.name)  \(.unit_price.amount) \(.unit_price.currency)  (\(.sku), \(.available) available)"' <<<"$body"

step "The stock manager adds stock"
show_stock before
call POST "$BASE/v1/inventory/americano/adjustments" '{"delta":50,"reason":"roaster delivery","reference":"PO-17"}'
expect 201
call POST "$BASE/v1/inventory/croissant/adjustments" '{"delta":20,"reason":"baked this morning"}'
expect 201
show_stock after

step "An order of several lines; the customer waits for it to settle"
americano=$(available americano) croissant=$(available croissant)
call POST "$BASE/v1/orders" \
  "$(order_json tok_approve '[{"sku":"americano","quantity":2},{"sku":"croissant","quantity":3}]')" \
  -H 'Prefer: wait=5'
expect 201
show '{id, status, saga, total, payment: .payment.status, delivery: .delivery.status}'
expect_field .status preparing
expect_field .total.amount 20400
expect_field .payment.status approved
first=$(field .id) delivery=$(field .delivery.id)
grep -qi "^location: /v1/orders/$first" <<<"$headers" || fail "no Location of the order"
grep -qi '^preference-applied: wait' <<<"$headers" || fail "no Preference-Applied"
show_stock 'after the order'
[[ $(available americano) == $((americano - 2)) ]] || fail "americano: 2 less were expected"
[[ $(available croissant) == $((croissant - 3)) ]] || fail "croissant: 3 less were expected"
history "$first"
expect_history "$first" OrderPlaced StockDecreased StockDecreased PaymentApproved DeliveryStarted

step "The courier picks it up and delivers it"
call POST "$BASE/v1/deliveries/$delivery/updates" '{"status":"picked_up"}'
expect 200
await "$first" .status shipped
show '{id, status, delivery: .delivery.status}'
note "from here on it can't be cancelled any more:"
call POST "$BASE/v1/orders/$first/cancellations" '{"reason":"too late"}'
expect 409
show '{status, code, detail}'
expect_field .code not-cancellable
call POST "$BASE/v1/deliveries/$delivery/updates" '{"status":"delivered","note":"left at the door"}'
expect 200
await "$first" .status delivered
show '{id, status, delivery: .delivery.status}'
history "$first"
expect_history "$first" OrderPlaced StockDecreased StockDecreased PaymentApproved DeliveryStarted \
  DeliveryPickedUp DeliveryCompleted OrderCompleted

step "A second order, cancelled by the customer: all is undone, in order"
americano=$(available americano)
call POST "$BASE/v1/orders" "$(order_json tok_approve '[{"sku":"americano","quantity":5}]')" -H 'Prefer: wait=5'
expect 201
expect_field .status preparing
second=$(field .id)
show_stock 'while it is prepared'
call POST "$BASE/v1/orders/$second/cancellations" '{"reason":"changed my mind"}'
expect 200 202
await "$second" .status cancelled
show '{id, status, payment, delivery: .delivery.status, cancellation}'
expect_field .payment.status refunded
expect_field .payment.refunded.amount 22500
[[ $(available americano) == "$americano" ]] || fail "americano: all of it should be back"
show_stock 'after the cancellation'
history "$second"
expect_history "$second" OrderPlaced StockDecreased PaymentApproved DeliveryStarted \
  OrderCanceled DeliveryCanceled PaymentCanceled StockIncreased

step "A card that is declined: the request is fine (201), the order is rejected, nothing is kept"
call POST "$BASE/v1/orders" "$(order_json tok_decline '[{"sku":"americano","quantity":1}]')" -H 'Prefer: wait=5'
expect 201
show '{id, status, failure}'
expect_field .status rejected
declined=$(field .id)
[[ $(available americano) == "$americano" ]] || fail "americano: nothing should be kept"
history "$declined"
expect_history "$declined" OrderPlaced StockDecreased PaymentDeclined StockIncreased OrderRejected

step "Sold out: more than there is, and a second line that must not be kept either"
call POST "$BASE/v1/orders" "$(order_json tok_approve \
  "[{\"sku\":\"americano\",\"quantity\":1},{\"sku\":\"croissant\",\"quantity\":$(($(available croissant) + 1))}]")" \
  -H 'Prefer: wait=5'
expect 201
show '{id, status, failure}'
expect_field .status rejected
expect_field .failure.code insufficient-stock
sold_out=$(field .id)
[[ $(available americano) == "$americano" ]] || fail "americano: all or nothing"
history "$sold_out"

step "A card whose charge times out although the money was taken: an inquiry finds out"
call POST "$BASE/v1/orders" "$(order_json tok_unknown_charged '[{"sku":"americano","quantity":1}]')" -H 'Prefer: wait=10'
expect 201
show '{id, status, payment: .payment.status}'
expect_field .status preparing
unknown=$(field .id)
history "$unknown"

step "The same request again, with the same Idempotency-Key: one order, the same answer"
json=$(order_json tok_approve '[{"sku":"americano","quantity":1}]')
declare -a answers=()
for _ in 1 2; do
  answers+=("$(curl -sS --max-time 40 -X POST "$BASE/v1/orders" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: demo-$run-once" -H 'Prefer: wait=5' -d "$json")")
done
[[ ${answers[0]} == "${answers[1]}" ]] || fail "the second answer differs from the first"
note "both say $(jq -r .id <<<"${answers[0]}")"
once=$(jq -r .id <<<"${answers[0]}")

step "The payment provider's own ledger, kept apart from Jumun's data"
check_ledger() {
  local order expected found
  while read -r order expected; do
    found=$(ledger_of "$order")
    note "$order  ${found:-nothing}"
    [[ $found == "$expected" ]] || fail "ledger of $order: '$found', expected '$expected'"
  done <<L
$first charge:20400
$second charge:22500 refund:22500
$declined
$sold_out
$unknown charge:4500
$once charge:4500
L
}
check_ledger

if [[ -n $own_pid ]]; then
  step "kill -9, and a new start on the same folder: all is as it was answered"
  before=$(curl -sSf "$BASE/v1/orders/$first" && curl -sSf "$BASE/v1/orders/$second" && stock_of americano)
  kill -9 "$own_pid"
  wait "$own_pid" 2>/dev/null || true
  start_own_server
  after=$(curl -sSf "$BASE/v1/orders/$first" && curl -sSf "$BASE/v1/orders/$second" && stock_of americano)
  [[ $before == "$after" ]] || fail "after the restart: $after, before: $before"
  check_ledger
fi

printf '\n%sdemo: everything was as expected%s\n' "$bold" "$plain"

#!/usr/bin/env bash
# Deploys k8s/overlays/cluster on the Kubernetes that $KUBECTL reaches, and shows under load (Debian's siege) that it rolls,
# scales, heals and keeps its data. Prints a table: step, requests, failed, availability. Exits 0 when every step held what
# it promises. Takes about 20 minutes; ends by deleting its name spaces (shop-e2e, shop-e2e-node), --keep keeps them.
#   scripts/e2e_k8s.sh [--keep] [STEP…]   some steps alone, of what is deployed: deploy tour idle roll-gateways roll-shards
#                  bad-release no-probes kill-gateway delete-shard kill-shard mid-drain scale-gateways scale-shards autoscale settings
#                  wedge books
#   KUBECTL       how to reach it, as an admin (default: kubectl)
#   JUMUN_BINARY  makes the Secrets (default: build/jumun)
# Its nodes must have the images localhost/jumun:VERSION (scripts/build_image.sh) and localhost/jumun-e2e:e2e
# (buildah bud -t localhost/jumun-e2e:e2e tests/k8s), a default StorageClass, and DNS for Services; metrics-server for the
# autoscaler's step, which is left out without.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

keep=''
[[ ${1:-} != --keep ]] || { keep=1; shift; }
steps=("$@")
for step in "${steps[@]}"; do
  grep -q "^\(if \)\?chosen $step\b" "$0" || { sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "$0"; exit 2; }
done
chosen() { ((${#steps[@]} == 0)) || [[ " ${steps[*]} " == *" $1 "* ]]; }
read -ra kubectl <<<"${KUBECTL:-kubectl}"
ns=shop-e2e node_ns=shop-e2e-node
say() { printf '%s e2e: %s\n' "$(date +%T)" "$*" >&2; }
die() { say "$*"; exit 1; }
k() { "${kubectl[@]}" -n "$ns" "$@"; }
in_load() { k exec -i load -- bash -euo pipefail -c "$1" bash "${@:2}"; }
# COMMAND until it succeeds, for SECONDS at most.
await() { # SECONDS WHAT COMMAND…
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { say "not within its time: $what"; return 1; }
    sleep 1
  done
}

clean_up() {
  "${kubectl[@]}" delete namespace "$ns" "$node_ns" --ignore-not-found --wait=false >/dev/null 2>&1 || true
  # Nobody is left to hand shards over to: not worth the wait of preStop.
  k delete pod --all --grace-period=0 --force >/dev/null 2>&1 || true
  await 180 'the name spaces are gone' bash -c '! "$@" get namespace shop-e2e shop-e2e-node --ignore-not-found -o name | grep -q .' \
    bash "${kubectl[@]}" || true
}
trap '[[ $keep ]] || clean_up' EXIT

# -- deploy ----------------------------------------------------------------------------------------

tools=$(scripts/k8s_tools.sh)
# Older servers know some kinds by the name of their last beta; of fields they don't know they drop.
minor=$("${kubectl[@]}" version -o json | jq -r '.serverVersion.minor' | tr -dc 0-9)
lowered() {
  if ((minor < 23)); then sed 's|^apiVersion: autoscaling/v2$|apiVersion: autoscaling/v2beta2|; s|^apiVersion: policy/v1$|apiVersion: policy/v1beta1|'
  else cat; fi
}
# By hand, a step says how many pods there are: the autoscalers are applied and taken away again.
apply() {
  "$tools/bin/kubectl" kustomize tests/k8s | lowered | "${kubectl[@]}" apply --validate=false -f - >/dev/null
  k delete hpa --all >/dev/null
}
deploy() {
  say "deploying to Kubernetes 1.$minor"
  clean_up
  "${kubectl[@]}" create namespace "$ns" >/dev/null
  scripts/k8s_secrets.sh | k create -f - >/dev/null
  apply
  k scale deployment gateway --replicas=2 >/dev/null
  k scale statefulset shard --replicas=2 >/dev/null
  k wait --for=condition=Ready pod/load --timeout=120s >/dev/null
  k rollout status statefulset etcd --timeout=180s >/dev/null
  k rollout status statefulset shard --timeout=180s >/dev/null
  k rollout status deployment gateway --timeout=180s >/dev/null
}

# -- what runs in the load's pod --------------------------------------------------------------------

ask_sh='ask() { curl -sS --max-time 20 -H "Authorization: Bearer $(cat /admin/key)" -H "Content-Type: application/json" "$@"; }
shop=http://shop:8080 ops=http://shop-ops:9090
order='"'"'{"customer_id":"c-42","lines":[{"sku":"americano","quantity":1}],"payment":{"method":"card","token":"tok_approve"},"shipping_address":{"line1":"1 Sejong-daero","city":"Seoul","country":"KR"}}'"'"
load() { in_load "$ask_sh
$1" "${@:2}"; }

# The README's tour, through the Service.
tour() {
  load '
    run=$(date +%s%N)
    ask -X PUT $shop/v1/products/americano -d "{\"name\":\"Americano\",\"unit_price\":{\"amount\":4500,\"currency\":\"KRW\"}}" -o /dev/null
    ask $shop/v1/inventory/americano/adjustments -H "Idempotency-Key: stock-1-$run" -d "{\"delta\":1000000,\"reason\":\"opening stock\"}" -o /dev/null
    settled=$(ask $shop/v1/orders -H "Idempotency-Key: order-1-$run" -H "Prefer: wait=20" -d "$order")
    [[ $(jq -r .status <<<"$settled") == preparing ]] || { echo "$settled"; exit 1; }
    id=$(jq -r .id <<<"$settled") delivery=$(jq -r .delivery.id <<<"$settled")
    [[ $(ask $shop/v1/orders/$id/events | jq -r "[.data[].type] | join(\" \")") == "OrderPlaced StockDecreased PaymentApproved DeliveryStarted" ]]
    for step in picked_up delivered; do
      ask $shop/v1/deliveries/$delivery/updates -H "Idempotency-Key: $step-$run" -d "{\"status\":\"$step\"}" | jq -e --arg s $step ".status == \$s" >/dev/null
    done
    second=$(ask $shop/v1/orders -H "Idempotency-Key: order-2-$run" -H "Prefer: wait=20" -d "$order" | jq -r .id)
    ask $shop/v1/orders/$second/cancellations -H "Idempotency-Key: cancel-1-$run" -d "{}" -o /dev/null
    for try in $(seq 60); do
      [[ $(ask $shop/v1/orders/$second | jq -r .status) == cancelled ]] && exit 0
      sleep 0.5
    done
    exit 1' >&2
}
# Orders with keys, one after the other, and what was answered: each id must be there ever after.
recorder() { load '
  touch /work/record /work/go
  n=$(wc -l </work/record)
  while [[ -e /work/go ]]; do
    n=$((n + 1))
    for try in $(seq 200); do # as a client is told to: the same key again
      answer=$(ask -w "\n%{http_code}" $shop/v1/orders -H "Idempotency-Key: kept-$n" -d "$order") || { sleep 0.2; continue; }
      [[ ${answer##*$'"'\n'"'} == 201 ]] && { jq -r .id <<<"${answer%$'"'\n'"'*}" >>/work/record; break; }
      sleep 0.2
    done
    sleep 0.2
  done' >&2; }
# How many of the recorded orders are not there, once their shards had time to come back.
lost_orders() { load '
  sed "s|.*|url = \"$shop/v1/orders/&\"\noutput = /dev/null|" /work/record >/work/recorded
  for try in $(seq 60); do
    lost=$(ask -K /work/recorded -w "%{http_code}\n" 2>/dev/null | grep -cvx 200 || true)
    [[ $lost == 0 ]] && break
    sleep 1
  done
  echo "$lost"'; }

# -- steps -------------------------------------------------------------------------------------------

table=() failed_steps=0
row() { table+=("$(printf '%-46s %9s %7s %9s  %s' "$@")"); say "${table[-1]}"; }
# Runs COMMAND while siege sends orders. WANTED: availability in per cent at least.
under_load() { # NAME WANTED COMMAND…
  local name=$1 wanted=$2 siege=0 keeping=0 ok=yes note='' figures lost requests failures availability longest
  shift 2
  say "$name"
  load 'rm -f /work/siege.json; printf "%s POST %s\n" "$shop/v1/orders" "$order" >/work/urls
    exec siege --json-output -q -c 6 -d 0.3 -t 3600S --content-type=application/json \
      -H "Authorization: Bearer $(cat /admin/key)" -f /work/urls >/work/siege.json 2>/work/siege.err' &
  siege=$!
  recorder &
  keeping=$!
  sleep 3
  "$@" & # in the background the first command that fails ends it
  wait $! || ok=no note='the step itself failed; '
  sleep 3
  in_load 'rm -f /work/go; pkill -INT siege || true'
  wait "$siege" || true
  wait "$keeping" || true
  figures=$(in_load 'sed -n "/{/,/}/p" /work/siege.json | jq -r "[.transactions, .failed_transactions, .availability, .longest_transaction] | @tsv"')
  read -r requests failures availability longest <<<"$figures"
  lost=$(lost_orders)
  note+="longest $longest s; $lost of $(in_load 'wc -l </work/record') recorded orders lost"
  [[ $lost == 0 ]] || ok=no
  awk -v a="$availability" -v w="$wanted" 'BEGIN {exit !(a >= w)}' || ok=no
  [[ $ok == yes ]] || failed_steps=$((failed_steps + 1))
  row "$name" "$((requests + failures))" "$failures" "$(printf '%.2f %%' "$availability")" "$([[ $ok == yes ]] && echo ok || echo FAILED): $note"
}
show() { # NAME COMMAND…: without load
  local name=$1 ok=yes begun=$SECONDS
  shift
  say "$name"
  "$@" &
  wait $! || ok=FAILED failed_steps=$((failed_steps + 1))
  row "$name" - - - "${ok/yes/ok}: $((SECONDS - begun)) s"
}

roll() { # KIND NAME
  k rollout restart "$1" "$2" >/dev/null
  k rollout status "$1" "$2" --timeout=900s >/dev/null
}
# A release that can't serve, and says so at once: it finds no etcd. Rolled out, and taken back 40 s later.
bad_release() {
  local until=$((SECONDS + 40))
  k set env deployment gateway JUMUN_ETCD=https://nowhere:2379 JUMUN_CLUSTER_OWNER_WAIT_MS=0 >/dev/null
  while ((SECONDS < until)); do sleep 1; done
  k rollout undo deployment gateway >/dev/null
  k rollout status deployment gateway --timeout=300s >/dev/null
}
# As many a first deployment is.
without_probes() {
  k patch deployment gateway --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"},
    {"op":"remove","path":"/spec/template/spec/containers/0/startupProbe"}, {"op":"replace","path":"/spec/minReadySeconds","value":0}]' >/dev/null
  k rollout status deployment gateway --timeout=300s >/dev/null
}
with_probes_again() {
  apply
  k rollout status deployment gateway --timeout=300s >/dev/null
}
gateways_ready() { [[ $(k get deployment gateway -o jsonpath='{.status.readyReplicas}') == "$1" ]]; }
some_gateway() { k get pod -l app.kubernetes.io/component=gateway -o jsonpath='{.items[0].metadata.name}'; }
kill_gateway() {
  k delete pod "$(some_gateway)" --grace-period=0 --force >/dev/null 2>&1
  sleep 2
  await 120 'two gateways are ready' gateways_ready 2
}
delete_shard() { # POD MORE…
  local before
  before=$(k get pod "$1" -o jsonpath='{.metadata.uid}')
  k delete pod "$@" >/dev/null 2>&1
  await 60 "$1 is another" another_pod "$1" "$before"
  k wait --for=condition=Ready "pod/$1" --timeout=300s >/dev/null
  all_served
}
another_pod() { [[ $(k get pod "$1" -o jsonpath='{.metadata.uid}') != "$2" ]]; }
all_served() {
  await 180 'all shards are served' load 'ask $ops/admin/v1/shards | jq -e "[.data[] | select(.state == \"running\")] | length == 256"'
}
# All shards are served by so many nodes, each has its share, and none is on its way.
shared_by() {
  load 'ask $ops/admin/v1/shards | jq -e --argjson n "$1" ".data | all(.[]; .state == \"running\" and .moving_to == null) and
    (group_by(.owner) | length == \$n and all(.[]; length >= 220 / \$n))"' "$1"
}
scale_gateways() {
  k scale deployment gateway --replicas=5 >/dev/null
  k rollout status deployment gateway --timeout=300s >/dev/null
  await 60 'five gateways are ready' gateways_ready 5
  k scale deployment gateway --replicas=2 >/dev/null
  await 120 'two pods are left' bash -c '[[ $("$@" get pod -l app.kubernetes.io/component=gateway -o name | wc -l) == 2 ]]' bash "${kubectl[@]}" -n "$ns"
}
scale_shards() {
  k scale statefulset shard --replicas=3 >/dev/null
  k rollout status statefulset shard --timeout=300s >/dev/null
  await 300 'each of three has its share' shared_by 3
  k scale statefulset shard --replicas=2 >/dev/null
  await 300 'two pods are left' bash -c '[[ $("$@" get pod -l app.kubernetes.io/component=shard -o name | wc -l) == 2 ]]' bash "${kubectl[@]}" -n "$ns"
  await 120 'each of two has its share' shared_by 2
}
node_is() { # NODE STATE
  load 'ask $ops/admin/v1/cluster | jq -e --arg n "$1" --arg s "$2" ".members[] | select(.id == \$n) | .state == \$s"' "$@"
}
# Its preStop is cut off after three seconds.
cut_short() { # POD
  local before
  before=$(k get pod "$1" -o jsonpath='{.metadata.uid}')
  k delete pod "$1" --grace-period=3 >/dev/null
  await 120 "$1 is another" another_pod "$1" "$before"
  k wait --for=condition=Ready "pod/$1" --timeout=300s >/dev/null
  await 30 "$1 takes part" node_is "$1" up
  await 300 'each of two has its share' shared_by 2
}
has_metrics() { k get --raw /apis/metrics.k8s.io/v1beta1; }
gateways_measured() {
  k get --raw "/apis/metrics.k8s.io/v1beta1/namespaces/$ns/pods" | jq -e '[.items[] | select(.metadata.name | startswith("gateway"))] | length >= 2'
}
more_gateways() { (($(k get deployment gateway -o jsonpath='{.status.readyReplicas}') > 2)); }
# By the processor time that it takes to answer readers who do not pause.
autoscale() {
  await 120 'the gateways are measured' gateways_measured
  "$tools/bin/kubectl" kustomize tests/k8s | lowered | "${kubectl[@]}" apply --validate=false -f - >/dev/null
  k delete hpa shard >/dev/null
  load 'echo "$shop/v1/products" >/work/reads
    exec siege -q -b -c 12 -t 600S -H "Authorization: Bearer $(cat /admin/key)" -f /work/reads >/dev/null 2>&1' &
  local ok=0
  await 300 'more than two gateways are ready' more_gateways || ok=1
  k get hpa gateway >&2
  in_load 'pkill -INT -f "[/]work/reads" || true'
  await 400 'two gateways are left' gateways_ready 2 || ok=1
  k get hpa gateway >&2
  k delete hpa --all >/dev/null
  return $ok
}
setting_is() { # KEY FIELD VALUE: of every gateway
  local ip
  for ip in $(k get pod -l app.kubernetes.io/component=gateway -o jsonpath='{.items[*].status.podIP}'); do
    [[ $(load "ask http://$ip:9090/admin/v1/config | jq -r '.data[] | select(.key == \"$1\") | .$2'") == "$3" ]] || return 1
  done
}
change_settings() {
  k patch configmap jumun-settings --type=merge -p '{"data":{"jumun.conf":"log-level = debug\nmax-requests = 4000\n"}}' >/dev/null
  await 150 'log-level is in force' setting_is log-level value debug
  setting_is max-requests value 4096 && setting_is max-requests after_restart 4000
}
restarts() { k get pod "$1" -o jsonpath='{.status.containerStatuses[0].restartCount}'; }
restarted() { (($(restarts "$1") > $2)); }
# Stops (SIGSTOP) a gateway's process from the node, where nothing inside can notice.
wedge() {
  local pod before
  pod=$(some_gateway) before=$(restarts "$pod")
  "${kubectl[@]}" create namespace "$node_ns" >/dev/null
  "${kubectl[@]}" -n "$node_ns" apply -f - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata: {name: wedge}
spec:
  hostPID: true
  restartPolicy: Never
  containers:
    - name: wedge
      image: localhost/jumun-e2e:e2e
      securityContext: {privileged: true, runAsUser: 0}
      command: [bash, -c, 'for p in \$(pgrep -x jumun); do grep -qz "^POD_NAME=$pod\$" /proc/\$p/environ && kill -STOP \$p && exit 0; done; exit 1']
POD
  await 300 'liveness restarted it' restarted "$pod" "$before"
  k wait --for=condition=Ready "pod/$pod" --timeout=120s >/dev/null
}
# The books of all folders together, once nobody writes any more.
books() {
  k scale deployment gateway --replicas=0 >/dev/null
  k scale statefulset shard --replicas=0 >/dev/null
  await 300 'all have stopped' bash -c '[[ -z $("$@" get pod -l app.kubernetes.io/name=jumun -o name) ]]' bash "${kubectl[@]}" -n "$ns"
  k apply -f - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata: {name: books}
spec:
  restartPolicy: Never
  securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: books
      image: $(k get statefulset shard -o jsonpath='{.spec.template.spec.containers[0].image}')
      args: [check, /0/jumun, /1/jumun, /2/jumun]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: d0, mountPath: /0}, {name: d1, mountPath: /1}, {name: d2, mountPath: /2}]
  volumes:
    - {name: d0, persistentVolumeClaim: {claimName: data-shard-0}}
    - {name: d1, persistentVolumeClaim: {claimName: data-shard-1}}
    - {name: d2, persistentVolumeClaim: {claimName: data-shard-2}}
POD
  await 300 'jumun check has ended' bash -c '[[ $("$@" get pod books -o jsonpath={.status.phase}) =~ Succeeded|Failed ]]' bash "${kubectl[@]}" -n "$ns"
  k logs books | tail -5 >&2
  [[ $(k get pod books -o jsonpath='{.status.phase}') == Succeeded ]]
}

chosen deploy && show 'deploy: etcd, two shards, two gateways' deploy
chosen tour && show "the README's tour, through the Service" tour
chosen idle && under_load 'nothing happens, for 20 s' 100 sleep 20
chosen roll-gateways && under_load 'rolling update of the gateways' 100 roll deployment gateway
chosen roll-shards && under_load 'rolling update of the shards' 100 roll statefulset shard
chosen bad-release && under_load 'a release that can not serve, and back' 100 bad_release
chosen no-probes && show 'the gateways get no probes' without_probes
chosen no-probes && under_load 'the same release, and back' 0 bad_release
chosen no-probes && show 'with probes again' with_probes_again
chosen kill-gateway && under_load 'a gateway is killed' 90 kill_gateway
chosen delete-shard && under_load 'a shard is deleted, comes back on its volume' 100 delete_shard shard-1
chosen kill-shard && under_load 'a shard is killed, comes back on its volume' 0 delete_shard shard-0 --grace-period=0 --force
chosen mid-drain && under_load 'a shard is stopped in mid-drain, takes part again' 0 cut_short shard-1
chosen scale-gateways && under_load 'gateways 2 → 5 → 2' 100 scale_gateways
chosen scale-shards && under_load 'shards 2 → 3 → 2' 100 scale_shards
if chosen autoscale; then
  if has_metrics >/dev/null 2>&1; then under_load 'the autoscaler: 2 gateways, more, 2' 100 autoscale
  else row 'the autoscaler' - - - 'left out: there is no metrics-server'; fi
fi
chosen settings && show 'a ConfigMap changes: live, and what needs a restart' change_settings
chosen wedge && under_load 'a gateway stands still: liveness restarts it' 0 wedge
chosen books && show 'jumun check of all volumes' books

printf '\n%-46s %9s %7s %9s  %s\n' step requests failed available ''
printf '%s\n' "${table[@]}"
((failed_steps == 0)) || die "$failed_steps steps did not hold"

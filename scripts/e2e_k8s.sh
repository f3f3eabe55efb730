#!/usr/bin/env bash
# Deploys k8s/overlays/cluster on the Kubernetes that $KUBECTL reaches, and shows under load (Debian's siege) that it rolls,
# scales, heals and keeps its data. Prints a table: step, requests, failed, availability. Exits 0 when every step held what
# it promises. Takes about 20 minutes; ends by deleting its name spaces (shop-e2e, shop-e2e-node), --keep keeps them.
#   KUBECTL       how to reach it, as an admin (default: kubectl)
#   JUMUN_BINARY  makes the Secrets (default: build/jumun)
# Its nodes must have the images localhost/jumun:VERSION (scripts/build_image.sh) and localhost/jumun-e2e:e2e
# (buildah bud -t localhost/jumun-e2e:e2e tests/k8s), a default StorageClass, and DNS for Services.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

keep=''
case ${1:-} in
  '') ;;
  --keep) keep=1 ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "$0"; exit 2 ;;
esac
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
deploy() {
  say "deploying to Kubernetes 1.$minor"
  clean_up
  "${kubectl[@]}" create namespace "$ns" >/dev/null
  scripts/k8s_secrets.sh | k create -f - >/dev/null
  "$tools/bin/kubectl" kustomize tests/k8s | lowered | "${kubectl[@]}" apply --validate=false -f - >/dev/null
  # The autoscalers raise both to two; it need not be waited for.
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
    ask -X PUT $shop/v1/products/americano -d "{\"name\":\"Americano\",\"unit_price\":{\"amount\":4500,\"currency\":\"KRW\"}}" -o /dev/null
    ask $shop/v1/inventory/americano/adjustments -H "Idempotency-Key: stock-1" -d "{\"delta\":1000000,\"reason\":\"opening stock\"}" -o /dev/null
    settled=$(ask $shop/v1/orders -H "Idempotency-Key: order-1" -H "Prefer: wait=20" -d "$order")
    [[ $(jq -r .status <<<"$settled") == preparing ]] || { echo "$settled"; exit 1; }
    id=$(jq -r .id <<<"$settled") delivery=$(jq -r .delivery.id <<<"$settled")
    [[ $(ask $shop/v1/orders/$id/events | jq -r "[.data[].type] | join(\" \")") == "OrderPlaced StockDecreased PaymentApproved DeliveryStarted" ]]
    for step in picked_up delivered; do
      ask $shop/v1/deliveries/$delivery/updates -H "Idempotency-Key: $step-1" -d "{\"status\":\"$step\"}" | jq -e --arg s $step ".status == \$s" >/dev/null
    done
    second=$(ask $shop/v1/orders -H "Idempotency-Key: order-2" -H "Prefer: wait=20" -d "$order" | jq -r .id)
    ask $shop/v1/orders/$second/cancellations -H "Idempotency-Key: cancel-1" -d "{}" -o /dev/null
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
lost_orders() { load '
  lost=0
  while read -r id; do
    for try in $(seq 60); do # while its shard is on its way, or comes back
      code=$(ask -o /dev/null -w "%{http_code}" $shop/v1/orders/$id) || code=000
      [[ $code == 200 || $code == 404 ]] && break
      sleep 0.5
    done
    [[ $code == 200 ]] || lost=$((lost + 1))
  done </work/record
  echo $lost'; }

# -- steps -------------------------------------------------------------------------------------------

table=() failed_steps=0
row() { table+=("$(printf '%-46s %9s %7s %9s  %s' "$@")"); say "${table[-1]}"; }
# Runs COMMAND while siege sends orders. WANTED: availability in per cent at least.
under_load() { # NAME WANTED COMMAND…
  local name=$1 wanted=$2 siege=0 keeping=0 ok=yes note='' figures lost
  shift 2
  say "$name"
  load 'rm -f /work/siege.json; printf "%s POST %s\n" "$shop/v1/orders" "$order" >/work/urls
    exec siege --json-output -q -c 6 -d 0.3 -t 3600S --content-type=application/json \
      -H "Authorization: Bearer $(cat /admin/key)" -f /work/urls >/work/siege.json 2>/work/siege.err' &
  siege=$!
  recorder &
  keeping=$!
  sleep 3
  "$@" || { ok=no note="the step itself failed; "; }
  sleep 3
  in_load 'rm -f /work/go; pkill -INT siege || true'
  wait "$siege" || true
  wait "$keeping" || true
  figures=$(in_load 'sed -n "/{/,/}/p" /work/siege.json | jq -r "[.transactions, .failed_transactions, .availability] | @tsv"')
  read -r requests failures availability <<<"$figures"
  lost=$(lost_orders)
  note+="$lost of $(in_load 'wc -l </work/record') recorded orders lost"
  [[ $lost == 0 ]] || ok=no
  awk -v a="$availability" -v w="$wanted" 'BEGIN {exit !(a >= w)}' || ok=no
  [[ $ok == yes ]] || failed_steps=$((failed_steps + 1))
  row "$name" "$((requests + failures))" "$failures" "$availability %" "$([[ $ok == yes ]] && echo ok || echo FAILED): $note"
}
show() { # NAME COMMAND…: without load
  local name=$1 ok=yes begun=$SECONDS
  shift
  say "$name"
  "$@" || { ok=FAILED; failed_steps=$((failed_steps + 1)); }
  row "$name" - - - "${ok/yes/ok}: $((SECONDS - begun)) s"
}

roll() { # KIND NAME
  k rollout restart "$1" "$2" >/dev/null
  k rollout status "$1" "$2" --timeout=900s >/dev/null
}
# Without the probes and the grace, as the seed's first deployment was.
roll_without_probes() {
  k patch deployment gateway --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"},
    {"op":"remove","path":"/spec/template/spec/containers/0/startupProbe"}]' >/dev/null
  k set env deployment gateway JUMUN_DRAIN_GRACE_MS=0 >/dev/null
  k patch deployment gateway -p '{"spec":{"minReadySeconds":0}}' >/dev/null
  k rollout status deployment gateway --timeout=300s >/dev/null
  sleep 3
}
with_probes_again() {
  "$tools/bin/kubectl" kustomize tests/k8s | lowered | "${kubectl[@]}" apply --validate=false -f - >/dev/null
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
owners() { load 'ask $ops/admin/v1/shards | jq -r "[.data[].owner] | unique | length"'; }
owned_by() { [[ $(owners) == "$1" ]]; }
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
  await 240 'the third has its share' owned_by 3
  k scale statefulset shard --replicas=2 >/dev/null
  await 300 'two pods are left' bash -c '[[ $("$@" get pod -l app.kubernetes.io/component=shard -o name | wc -l) == 2 ]]' bash "${kubectl[@]}" -n "$ns"
  all_served
  owned_by 2
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
  k delete hpa --all >/dev/null
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

show 'deploy: etcd, two shards, two gateways' deploy
show "the README's tour, through the Service" tour
under_load 'nothing happens, for 20 s' 100 sleep 20
under_load 'rolling update of the gateways' 100 roll deployment gateway
under_load 'rolling update of the shards' 100 roll statefulset shard
under_load 'the same of gateways without probes' 0 roll_without_probes
show 'with probes again' with_probes_again
under_load 'a gateway is killed' 99 kill_gateway
under_load 'a shard is deleted, comes back on its volume' 100 delete_shard shard-1
under_load 'a shard is killed, comes back on its volume' 0 delete_shard shard-0 --grace-period=0 --force
under_load 'gateways 2 → 5 → 2' 100 scale_gateways
under_load 'shards 2 → 3 → 2' 100 scale_shards
show 'a ConfigMap changes: live, and what needs a restart' change_settings
under_load 'a gateway stands still: liveness restarts it' 0 wedge
show 'jumun check of all volumes' books

printf '\n%-46s %9s %7s %9s  %s\n' step requests failed available ''
printf '%s\n' "${table[@]}"
((failed_steps == 0)) || die "$failed_steps steps did not hold"

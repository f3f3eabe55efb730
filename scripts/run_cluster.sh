#!/usr/bin/env bash
# One shop of several processes on this machine: etcd and N nodes (3), mutual TLS between them. Prints their URLs once
# all 256 shards are served; Ctrl-C ends everything. A second run goes on with the same data.
#   scripts/run_cluster.sh [N] [--dir D] [-- ARGUMENTS OF `jumun serve`]      D: ./cluster-data
#   scripts/run_cluster.sh --down [--dir D]                                   ends one that runs
# Node K listens on 8080 + K - 1, its operations on 9090 + K - 1; JUMUN_PORT, JUMUN_OPS_PORT, JUMUN_CLUSTER_PORT (7400) and
# JUMUN_ETCD_PORT (22379) are the first of each.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

say() { printf 'cluster: %s\n' "$*"; }
die() { printf 'cluster: %s\n' "$*" >&2; exit 1; }

nodes=3 dir=./cluster-data down= more=()
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "$0"; exit 0 ;;
    --down) down=1 ;;
    --dir) dir=${2:?--dir needs a folder}; shift ;;
    --) shift; more=("$@"); break ;;
    [1-9] | [1-9][0-9]) nodes=$1 ;;
    *) die "what is \"$1\"? [N] [--dir D] [--down] [-- ARGUMENTS]" ;;
  esac
  shift
done
port=${JUMUN_PORT:-8080} ops_port=${JUMUN_OPS_PORT:-9090} cluster_port=${JUMUN_CLUSTER_PORT:-7400}
etcd_port=${JUMUN_ETCD_PORT:-22379}
unset JUMUN_PORT JUMUN_OPS_PORT JUMUN_CLUSTER_PORT # `jumun serve` reads them, too
mkdir -p "$dir"
dir=$(cd -- "$dir" && pwd)

# Ends the script that holds the folder; it ends the rest. Not by INT: whoever was started in the background is deaf to that.
if [[ $down ]]; then
  [[ -s $dir/pid ]] || die "nothing runs on $dir"
  pid=$(<"$dir/pid")
  kill -TERM "$pid" 2>/dev/null || { rm -f "$dir/pid"; die "nothing runs on $dir"; }
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  say "ended"
  exit 0
fi
if [[ -s $dir/pid ]] && kill -0 "$(<"$dir/pid")" 2>/dev/null; then
  die "one runs on $dir already; scripts/run_cluster.sh --down --dir $dir ends it"
fi

scripts/setup.sh
scripts/build.sh
jumun=$PWD/${JUMUN_BUILD_DIR:-build}/jumun
[[ ${JUMUN_BUILD_DIR:-} == /* ]] && jumun=$JUMUN_BUILD_DIR/jumun
tools="${JUMUN_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/jumun/tools}"
etcd=$(command -v etcd || true)
[[ $etcd ]] || etcd=$tools/etcd

declare -A child=() # pid → name
end_all() {
  trap - INT TERM EXIT
  say "ending"
  local pid
  for pid in "${!child[@]}"; do [[ ${child[$pid]} == etcd ]] || kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${!child[@]}"; do [[ ${child[$pid]} == etcd ]] || wait "$pid" 2>/dev/null || true; done
  for pid in "${!child[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait
  rm -f "$dir/pid"
}
trap 'end_all; exit 130' INT TERM
trap 'end_all' EXIT
echo $$ >"$dir/pid"

# In a session of its own each: Ctrl-C reaches this script alone, which ends them in order.
start() { # NAME LOG COMMAND…
  local name=$1 log=$2
  shift 2
  setsid "$@" >>"$log" 2>&1 </dev/null &
  child[$!]=$name
}

client=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$((etcd_port + 1))
start etcd "$dir/etcd.log" "$etcd" --name etcd --data-dir "$dir/etcd" \
  --listen-client-urls "$client" --advertise-client-urls "$client" --listen-peer-urls "$peer" \
  --initial-advertise-peer-urls "$peer" --initial-cluster "etcd=$peer"

[[ -s $dir/certs/ca.pem ]] || "$jumun" certs ca --dir "$dir/certs" --cluster local >/dev/null
for ((k = 1; k <= nodes; ++k)); do
  [[ -s $dir/certs/n$k.pem ]] || "$jumun" certs node --dir "$dir/certs" --cluster local --node "n$k" >/dev/null
  rm -f "$dir/n$k.address"
  start "n$k" "$dir/n$k.log" "$jumun" serve --cluster local --node-id "n$k" --data-dir "$dir/n$k" \
    --etcd "127.0.0.1:$etcd_port" --cluster-port $((cluster_port + k - 1)) --cluster-owners-min "$nodes" --simulator-node n1 \
    --cluster-cert "$dir/certs/n$k.pem" --cluster-key "$dir/certs/n$k.key" --cluster-ca "$dir/certs/ca.pem" \
    --port $((port + k - 1)) --ops-port $((ops_port + k - 1)) --address-file "$dir/n$k.address" "${more[@]}"
done

# Fails when one of the children has ended.
all_run() {
  local pid
  for pid in "${!child[@]}"; do
    kill -0 "$pid" 2>/dev/null || die "${child[$pid]} has ended; the last lines of $dir/${child[$pid]}.log:
$(tail -n 5 "$dir/${child[$pid]}.log")"
  done
}
served() { # how many shards are served, as the node that sees the fewest sees it
  local k n least=256
  for ((k = 1; k <= nodes; ++k)); do
    n=$(curl -s --max-time 2 "http://127.0.0.1:$((ops_port + k - 1))/admin/v1/shards" |
      jq '[.data[] | select(.state == "running")] | length' 2>/dev/null) || n=0
    [[ ${n:-0} -ge $least ]] || least=${n:-0}
  done
  echo "$least"
}
say "waiting for etcd and $nodes nodes; their logs are in $dir"
for ((tries = 0; ; ++tries)); do
  all_run
  now=$(served)
  [[ $now == 256 ]] && break
  ((tries < 600)) || die "after a minute $now of 256 shards are served; see $dir/*.log"
  sleep 0.1
done
say "all 256 shards are served by $nodes nodes; any of them is the shop:"
for ((k = 1; k <= nodes; ++k)); do
  printf '  n%s  shop=http://127.0.0.1:%s ops=http://127.0.0.1:%s\n' "$k" $((port + k - 1)) $((ops_port + k - 1))
done
say "Ctrl-C ends it, or scripts/run_cluster.sh --down${dir:+ --dir $dir}"
while :; do
  wait -n || true # one of them ended, or a signal came
  all_run
done

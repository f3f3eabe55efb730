#!/usr/bin/env bash
# Installs, builds, and measures everything: build/bench/bench.{txt,json,svg}. About fifteen minutes.
#   --record      appends the figures to bench/history.json, too
#   --quick       3 s a scenario in place of 10, and small databases
# Arguments behind -- go to `jumun bench`, e.g. -- settle hot. Exits with its code: 1 when the books don't add up.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

record='' quick=''
while (($#)); do
  case $1 in
    --record) record=1 ;;
    --quick) quick=1 ;;
    --) shift; break ;;
    *) echo "usage: scripts/bench.sh [--record] [--quick] [-- ARGUMENTS OF jumun bench]" >&2; exit 2 ;;
  esac
  shift
done

scripts/setup.sh
scripts/build.sh

dir=${JUMUN_BUILD_DIR:-build}
out=$dir/bench
mkdir -p "$out"
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=+ # with changes that are in no commit

args=(livez fsync accept settle hot mixed restock events big latency overload growth in-flight start)
if (($#)); then args=(); fi
if [[ $quick ]]; then args+=(--seconds 3 --warmup 1 --orders 20000); fi
status=0
"$dir/jumun" bench "${args[@]}" "$@" --commit "$commit" --json "$out/bench.json" --plot "$out/bench.svg" |
  tee "$out/bench.txt" || status=$?
echo "bench: $out/bench.txt, bench.json, bench.svg"
[[ $status == 0 ]] || exit "$status"
[[ $record ]] || exit 0

# One line an entry: what moves from commit to commit, no more. What was not measured is left out.
history=bench/history.json
[[ -s $history ]] || echo '[]' >"$history"
jq -r --slurpfile now "$out/bench.json" '
  def figures: {per_second, p50_ms: .latency_ms.p50, p99_ms: .latency_ms["p99"], to_livez: .ceilings.to_livez,
    to_fsync: .ceilings.to_fsync} + (.figures // {})
    + (.cost_each // {} | {cpu_us, read_write_syscalls, context_switches, bytes_written, bytes_to_disk,
      write_amplification, write_sets, allocations, rss_peak_mb})
    + (if .scenario == "settle" and .steps then {p99_ms_at_30: .steps[2].latency_ms.p99,
      p99_ms_at_80: .steps[7].latency_ms.p99} else {} end)
    | with_entries(select(.value != null));
  . + [$now[0] | {commit, time, cores: .machine.cores, cpu: .machine.cpu, binary_mb,
    scenarios: (.scenarios | map({(.scenario): figures}) | add)}]
  | "[\n" + (map(tojson) | join(",\n")) + "\n]"' "$history" >"$history.new"
mv "$history.new" "$history"
echo "bench: recorded in $history"

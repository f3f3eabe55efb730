#!/usr/bin/env bash
# Installs, builds, and measures everything: build/bench/bench.{txt,json,svg}. About fifteen minutes.
#   --record      appends the figures to bench/history.json, too, and shows what changed (bench/history.py)
#   --quick       3 s a scenario in place of 10, and small databases: noted in the history
#   --note TEXT   also noted there
#   --under CMD   runs each measurement under it: "taskset -c 2,3", or what keeps the machine quiet meanwhile
# Arguments behind -- go to `jumun bench`, e.g. -- settle hot. Ends with its exit code: 1 when some books don't add up.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

record='' quick='' note='' under=''
while (($#)); do
  case $1 in
    --record) record=1 ;;
    --quick) quick=1 ;;
    --note) note=${2:?--note needs a text}; shift ;;
    --under) under=${2:?--under needs a command}; shift ;;
    --) shift; break ;;
    *) echo "usage: scripts/bench.sh [--record] [--quick] [--note TEXT] [--under CMD] [-- ARGUMENTS OF jumun bench]" >&2; exit 2 ;;
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

parts=('livez fsync' 'accept settle hot' mixed restock events big latency overload storm growth in-flight start)
if (($#)); then parts=(''); fi
args=()
if [[ $quick ]]; then args+=(--seconds 3 --warmup 1 --orders 20000); fi
rm -f "$out"/part.*
: >"$out/bench.txt"
for i in "${!parts[@]}"; do # each part is a whole of its own, so that it can be run in a quiet minute
  plot=()
  if [[ -z ${parts[i]} || ${parts[i]} == *settle* ]]; then plot=(--plot "$out/bench.svg"); fi
  # shellcheck disable=SC2086
  $under "$dir/jumun" bench ${parts[i]} "${args[@]}" --commit "$commit" --json "$out/part.$(printf '%02d' "$i").json" \
    "${plot[@]}" "$@" | tee -a "$out/bench.txt"
done
jq -s '.[0] + {scenarios: map(.scenarios) | add}' "$out"/part.*.json >"$out/bench.json"
rm -f "$out"/part.*
echo "bench: $out/bench.txt, bench.json, bench.svg"
[[ $record ]] || exit 0

# One line an entry: what moves from commit to commit, no more. What was not measured is left out.
history=bench/history.json
[[ -s $history ]] || echo '[]' >"$history"
[[ $quick ]] && note="quick${note:+; $note}"
jq -r --arg note "$note" --slurpfile now "$out/bench.json" '
  def figures: {per_second, p50_ms: .latency_ms.p50, p99_ms: .latency_ms["p99"], to_livez: .ceilings.to_livez,
    to_fsync: .ceilings.to_fsync} + (.figures // {}) + (.targets // [] | map({(.what): .seen}) | add // {})
    + (.cost_each // {} | {cpu_us, read_write_syscalls, context_switches, bytes_written, bytes_to_disk,
      write_amplification, write_sets, allocations, rss_peak_mb})
    | with_entries(select(.value != null));
  . + [$now[0] | {commit, time} + (if $note != "" then {note: $note} else {} end)
    + {cores: .machine.cores, cpu: .machine.cpu, binary_mb, scenarios: (.scenarios | map({(.scenario): figures}) | add)}]
  | "[\n" + (map(tojson) | join(",\n")) + "\n]"' "$history" >"$history.new"
mv "$history.new" "$history"
echo "bench: recorded in $history"
bench/history.py "$history" || true # for people to look at

#!/usr/bin/env bash
# Longer runs of tests/power than the suite's: more days, more cuts at each sync point, every failing call, more bits.
# Ctrl-C ends a run early, with its figures. Exits 0 only when nothing was wrong.
#   scripts/power_cuts.sh            a day's seeds 0..9, 8 cuts at each sync point; all calls; 100,000 bits
#   scripts/power_cuts.sh cut        only cuts   (JUMUN_SEED=0 JUMUN_SEEDS=10 JUMUN_CUTS=8)
#   scripts/power_cuts.sh fault      only calls that fail (JUMUN_FAULT_STEP=1: each of them)
#   scripts/power_cuts.sh flip       only flipped bits    (JUMUN_FLIPS=100000 JUMUN_SEED=0)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=${JUMUN_BUILD_DIR:-build}
kinds=("$@")
((${#kinds[@]})) || kinds=(cut fault flip)
for kind in "${kinds[@]}"; do
  [[ $kind =~ ^(cut|fault|flip|disk)$ ]] || { echo "power_cuts: no such kind: $kind" >&2; exit 2; }
done
[[ -x $build/tests/power_tests ]] || cmake --build "$build" --target power_tests

export JUMUN_SEEDS=${JUMUN_SEEDS:-10} JUMUN_CUTS=${JUMUN_CUTS:-8} JUMUN_FAULT_STEP=${JUMUN_FAULT_STEP:-1}
export JUMUN_FLIPS=${JUMUN_FLIPS:-100000}
failed=0
for kind in "${kinds[@]}"; do
  echo "power_cuts: $kind"
  "$build/tests/power_tests" "[$kind]" 2>"$build/power-$kind.err" || failed=1
done
((failed)) && echo 'power_cuts: something was wrong' || echo 'power_cuts: nothing was wrong'
exit "$failed"

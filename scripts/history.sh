#!/usr/bin/env bash
# Records what a crowd asks a real server and is told, and checks that for linearizability (tests/history/README.md).
# Exits 0 when it is linearizable. A history that is not stays behind as history-SEED.jsonl.
#   scripts/history.sh [--operations N] [--kills N] [--seed S] [--clients N] [--porcupine]
# 1,000,000 requests, no kill, a seed of its own; --porcupine: a second opinion on a sample (needs Go).
# Ctrl-C ends the day early: what was recorded is checked all the same.
set -euo pipefail
here=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$PWD build=${JUMUN_BUILD_DIR:-build}
[[ $build = /* ]] || build=$root/$build

porcupine=no seed=$((RANDOM * 32768 + RANDOM)) options=()
while (($#)); do
  case $1 in
    --porcupine) porcupine=yes; shift ;;
    --seed) seed=${2:?a number}; shift 2 ;;
    --operations | --kills | --clients) options+=("$1" "${2:?a number}"); shift 2 ;;
    *) sed -n '2,6s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done

[[ -f $build/CMakeCache.txt ]] || scripts/build.sh
cmake --build "$build" --target jumun jumun_history_cli >"$build/history.log" 2>&1 || { cat "$build/history.log" >&2; exit 1; }
cd -- "$here"
file=history-$seed.jsonl
[[ $porcupine = no ]] || options+=(--file "$file")
# The binary hears Ctrl-C itself, and ends the day; this script waits for its verdict.
trap : INT
code=0
JUMUN_BINARY=$build/jumun "$build/tests/history/jumun_history" record --seed "$seed" "${options[@]}" || code=$?
[[ $porcupine = yes && $code -le 1 ]] || exit "$code"

second=0
if command -v go >/dev/null; then
  tool=$(mktemp -d)
  (cd "$root/tests/history/porcupine" && GOFLAGS=-buildvcs=false go build -o "$tool/porcupine" .)
  "$tool/porcupine" -seed "$seed" "$file" || second=$?
  rm -rf "$tool"
else
  echo 'porcupine: there is no go in $PATH (Debian: golang-go)' >&2
  second=2
fi
if ((code == 0 && second == 0)); then rm -f "$file"; else echo "kept: $file"; fi
exit $((code > second ? code : second))

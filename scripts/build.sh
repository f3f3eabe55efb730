#!/usr/bin/env bash
# Builds build/jumun, or with --tests all there is. A second call with nothing changed takes seconds.
#   JUMUN_BUILD_DIR   where to (default: build)
#   JUMUN_BUILD_TYPE  Debug, RelWithDebInfo, Release (default: RelWithDebInfo)
#   JUMUN_TESTS       OFF leaves the tests out of the project (default: ON)
#   JUMUN_CONSOLE     OFF leaves out the pages for people (/console/, /docs), and needs no node (default: ON)
#   JUMUN_HARDENED    ON: with a stack protector and checked libc calls, as in the image (default: OFF)
#   JUMUN_SANITIZE    for -fsanitize=, e.g. address,undefined (default: none)
#   JUMUN_JOBS        compilers at once (default: the processors, if memory allows)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

targets=(jumun)
case "${1:-}" in
  '') ;;
  --tests) targets=(all) ;;
  *) echo "usage: scripts/build.sh [--tests]" >&2; exit 2 ;;
esac

# One compiler takes up to 1.5 GB: not more of them than memory, or the container's limit, allows.
jobs_for_this_machine() {
  local cpus kb limit fit
  cpus=$(nproc)
  kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1024 < kb)); then kb=$((limit / 1024)); fi
  fit=$((kb / 1500000))
  ((fit >= 1)) || fit=1
  echo $((fit < cpus ? fit : cpus))
}

dir=${JUMUN_BUILD_DIR:-build}
jobs=${JUMUN_JOBS:-$(jobs_for_this_machine)}
started=$SECONDS
cmake -S . -B "$dir" -G Ninja -Wno-dev \
  -DCMAKE_BUILD_TYPE="${JUMUN_BUILD_TYPE:-RelWithDebInfo}" \
  -DJUMUN_CONSOLE="${JUMUN_CONSOLE:-ON}" -DJUMUN_TESTS="${JUMUN_TESTS:-ON}" -DJUMUN_HARDENED="${JUMUN_HARDENED:-OFF}" \
  -DJUMUN_SANITIZE="${JUMUN_SANITIZE:-}" >"$dir.configure.log" 2>&1 || {
  cat "$dir.configure.log" >&2
  exit 1
}
rm -f "$dir.configure.log"
NINJA_STATUS='[%f/%t %es] ' cmake --build "$dir" --parallel "$jobs" --target "${targets[@]}"
echo "build: $dir/jumun is up to date ($((SECONDS - started)) s, $jobs at once)"

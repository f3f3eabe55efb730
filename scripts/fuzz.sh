#!/usr/bin/env bash
# Runs the fuzz targets of tests/fuzz (clang's libFuzzer, with AddressSanitizer and UBSan), each for FUZZ_SECONDS (60).
# Exits 0 when none of them found a fault; what breaks one is left in build-fuzz/faults/<target>/.
#   scripts/fuzz.sh [TARGET…]     targets: request_head order_json codecs rows keys wire
#   FUZZ_KEEP=1                   merges what was found into tests/fuzz/corpus, 40 small inputs a target
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=${JUMUN_FUZZ_DIR:-build-fuzz} seconds=${FUZZ_SECONDS:-60} corpus=tests/fuzz/corpus
targets=("$@")
((${#targets[@]})) || targets=(request_head order_json codecs rows keys wire)

# The default clang on Debian 13; 14 by name on 12, where that is the default too.
cxx=clang++
command -v clang++ >/dev/null || cxx=clang++-14
has_fuzzer() { "$cxx" -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null <<<'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }'; }
if ! has_fuzzer; then
  # shellcheck source=/dev/null
  . /etc/os-release
  packages=(clang libclang-rt-dev)
  [[ ${VERSION_ID:-} != 12 ]] || packages=(clang-14 libclang-rt-14-dev)
  echo "fuzz: installing ${packages[*]}"
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -q update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"
  command -v clang++ >/dev/null || cxx=clang++-14
  has_fuzzer || { echo 'fuzz: clang cannot link a fuzzer' >&2; exit 1; }
fi

cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER="${cxx/++/}" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Debug \
  -DJUMUN_FUZZ=ON -DJUMUN_TESTS=OFF -DJUMUN_CONSOLE=OFF >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
mv "$build.log" "$build/configure.log"
ninja -C "$build" "${targets[@]/#/fuzz_}"

# Numbers of libFuzzer's closing statistics and last status line.
stat_of() { sed -n "s/^stat::$2: *//p" "$1" | tail -1; }
edges_of() { sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$1" | tail -1; }

# Keeps inputs by the edges they reach, not by counts of loops, and at most 40 of them besides the seeds and old faults:
# the corpus is part of the tree, and a test of every day.
keep() {
  local target=$1 found=$2 small
  small=$(mktemp -d)
  "$build/tests/fuzz/fuzz_$target" -set_cover_merge=1 -use_counters=0 "$small" "$corpus/$target" "$found" \
    >"$build/$target.merge.log" 2>&1 || { cat "$build/$target.merge.log" >&2; return 1; }
  find "$corpus/$target" -type f ! -name 'seed-*' ! -name 'nul-*' -delete
  find "$small" -type f -printf '%s %p\n' | sort -n | sed '40q' | cut -d' ' -f2- | xargs -r cp -t "$corpus/$target/"
  rm -rf "$small"
}

rows=() failed=0
for target in "${targets[@]}"; do
  log=$build/$target.log found=$build/found/$target faults=$build/faults/$target result=clean
  mkdir -p "$found" "$faults"
  echo "fuzz: $target for $seconds s"
  "$build/tests/fuzz/fuzz_$target" "$found" "$corpus/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$faults/" >"$log" 2>&1 || {
    result="FAULT: see $log" failed=1
    tail -40 "$log"
  }
  [[ ${FUZZ_KEEP:-} != 1 || $result != clean ]] || keep "$target" "$found"
  rows+=("$(printf '%-13s %10s %7s %7s  %s' "$target" "$(stat_of "$log" number_of_executed_units)" \
    "$(edges_of "$log")" "$(find "$corpus/$target" -type f | wc -l)" "$result")")
done

printf '\n%-13s %10s %7s %7s  %s\n' target runs edges corpus result
printf '%s\n' "${rows[@]}"
exit "$failed"

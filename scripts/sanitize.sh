#!/usr/bin/env bash
# Builds with a sanitizer and runs the unit, sim and integration suites. Exits 0 only when all passed and none had a finding.
#   scripts/sanitize.sh address [ctest arguments]   AddressSanitizer, LeakSanitizer and UBSan, in build-asan (the default)
#   scripts/sanitize.sh thread  [ctest arguments]   ThreadSanitizer, in build-tsan
# Without arguments each suite is built and run before the next; else ctest gets them. What is suppressed, and why:
# tests/sanitizers/*.supp.
# The second builds CAF, once, as scripts/caf_tsan.sh says.
#   JUMUN_JOBS  compilers at once (default: the processors)
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

which=address
case "${1:-}" in
  address | thread) which=$1; shift ;;
  '' | -*) ;;
  *) echo 'usage: scripts/sanitize.sh [address|thread] [ctest arguments]' >&2; exit 2 ;;
esac
supp=$PWD/tests/sanitizers
options=() under=()
case $which in
  address)
    build=build-asan flags=address,undefined
    export ASAN_OPTIONS="log_path=$PWD/$build/reports/of:detect_leaks=1:check_initialization_order=1:strict_string_checks=1:detect_stack_use_after_return=1:suppressions=$supp/asan.supp"
    export LSAN_OPTIONS="suppressions=$supp/lsan.supp:print_suppressions=0"
    export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:suppressions=$supp/ubsan.supp"
    ;;
  thread)
    build=build-tsan flags=thread
    export TSAN_OPTIONS="log_path=$PWD/$build/reports/of:print_suppressions=0:halt_on_error=0:exitcode=66:second_deadlock_stack=1:history_size=4:suppressions=$supp/tsan.supp"
    caf=$(scripts/caf_tsan.sh)
    options=(-DCAF_CORE_LIBRARY="$caf")
    under=(setarch --addr-no-randomize) # its shadow has fixed places, which a kernel of today may give to a library
    ;;
esac

# Warnings of a sanitized build are about the sanitizers (gcc sees other overreads): the plain build has them as errors.
cmake -S . -B "$build" -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=RelWithDebInfo -DJUMUN_WERROR=OFF \
  -DJUMUN_SANITIZE="$flags" "${options[@]}" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
mv "$build.log" "$build/configure.log"
built() {
  NINJA_STATUS='[%f/%t %es] ' cmake --build "$build" --parallel "${JUMUN_JOBS:-$(nproc)}" --target "$@"
}
# Also a process that a test kills, or whose errors a test reads, has its findings counted: each is in a file.
run() {
  local passed=0
  rm -rf -- "$build/reports"
  mkdir -p "$build/reports"
  echo "sanitize: $which, by $build: ctest $*"
  "${under[@]}" ctest --test-dir "$build" --output-on-failure --no-tests=error --timeout 3600 "$@" || passed=1
  cat -- "$build"/reports/* 2>/dev/null && passed=1
  return "$passed"
}

if (($# > 0)); then
  built jumun unit_tests sim_tests integration_tests
  run "$@"
  exit
fi
failed=()
for suite in unit sim integration; do
  targets=("${suite}_tests")
  [[ $suite != integration ]] || targets+=(jumun) # the real one, for those that start it
  built "${targets[@]}"
  run -R "^$suite\$" || failed+=("$suite")
done
echo "sanitize: $which: ${failed[*]:+not clean: }${failed[*]:-unit, sim and integration are clean}"
((${#failed[@]} == 0))

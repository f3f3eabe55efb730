#!/usr/bin/env bash
# Two adjacent releases side by side: three nodes and a gateway of the previous one are upgraded in
# turn to this one under load, taken back, and upgraded again; every order must be answered the first
# time, and the books must be sound (tests/integration/rolling_test.cpp, [.mixed-releases]).
#
#   scripts/mixed_releases.sh                  # the previous release: HEAD~1, built beside this one
#   scripts/mixed_releases.sh --rev REV        # …or another commit
#   scripts/mixed_releases.sh --binary PATH    # …or a binary that is there already
set -euo pipefail
cd "$(dirname "$0")/.."

rev=HEAD~1 binary=
while (($#)); do
  case $1 in
    --rev) rev=${2:?--rev needs a commit}; shift 2 ;;
    --binary) binary=${2:?--binary needs a path}; shift 2 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

tests=build/tests/integration_tests
if [[ ! -x build/jumun || ! -x $tests ]]; then
  echo "build/jumun and $tests are not there: scripts/build.sh --tests makes them" >&2
  exit 2
fi

if [[ -z $binary ]]; then
  commit=$(git rev-parse --short=12 "$rev^{commit}")
  tree=build/previous/$commit
  binary=$tree/build/jumun
  if [[ ! -x $binary ]]; then
    echo "building $commit in $tree"
    rm -rf "$tree"
    mkdir -p "$tree"
    git archive "$commit" | tar -x -C "$tree"
    (cd "$tree" && JUMUN_CONSOLE=OFF JUMUN_TESTS=OFF scripts/build.sh)
  fi
fi
binary=$(realpath "$binary")
[[ -x $binary ]] || { echo "$binary can't be run" >&2; exit 2; }

echo "previous: $("$binary" version | head -1), $binary"
echo "this one: $(build/jumun version | head -1)"
JUMUN_BINARY=$PWD/build/jumun JUMUN_PREVIOUS=$binary "$tests" "[.mixed-releases]" --durations yes

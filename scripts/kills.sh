#!/usr/bin/env bash
# Kills the real server and starts it again, under HTTP load, and audits its books: tests/kills/README.md. Exits 0 when
# all of them held. Ctrl-C ends the cycle at hand, audits, and gives the verdict; twice, it ends at once.
#   scripts/kills.sh [--cycles N | --minutes N]   how long (default: 200 cycles)
#                    [--seed S] [--from-epoch E]  the same choices as a run that failed
#                    [--lanes N]                  servers at once (default: 2)
#                    [--folder DIR]               where the data is (default: $TMPDIR or /tmp)
#                    [--progress SECONDS]         between two lines (default: 5)
# A failed epoch's data, log and notes are kept, and where is printed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=${JUMUN_BUILD_DIR:-build}
[[ -f $build/build.ninja ]] || scripts/build.sh
cmake --build "$build" --target jumun_kills >"$build/kills.log" || { cat "$build/kills.log" >&2; exit 1; }
lanes=(--lanes 2)
for word in "$@"; do [[ $word != --from-epoch ]] || lanes=(--lanes 1); done
export JUMUN_BINARY=$PWD/$build/jumun
exec "$build/tests/jumun_kills" "${lanes[@]}" "$@"

#!/usr/bin/env bash
# Installs, builds everything, checks the layers, runs every test. Exits 0 only when all passed.
# Arguments go to ctest, e.g. -R unit.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/k8s_tools.sh >/dev/null # now, not in the middle of the tests: it downloads
scripts/build.sh --tests
python3 scripts/check_layers.py
# etcd, where setup.sh has unpacked it.
export PATH=$PATH:${JUMUN_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/jumun/tools}
# pipefail and -e: ctest's own status is ours. Its closing lines are the last of all.
ctest --test-dir "${JUMUN_BUILD_DIR:-build}" --parallel "$(nproc)" --output-on-failure --no-tests=error --timeout 1200 "$@"

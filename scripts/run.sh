#!/usr/bin/env bash
# Installs, builds and serves: http://127.0.0.1:8080, operations on http://127.0.0.1:9090.
# The data is kept in ./data, or $JUMUN_DATA_DIR. Arguments go to `jumun serve`. Ctrl-C stops it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh
export JUMUN_DATA_DIR=${JUMUN_DATA_DIR:-./data}
exec "${JUMUN_BUILD_DIR:-build}/jumun" serve "$@"

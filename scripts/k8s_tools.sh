#!/usr/bin/env bash
# Installs what the manifests are rendered and judged with (tests/k8s/requirements.txt: exactly those bytes) into a folder
# of its own, and prints that folder. When it is there already it does nothing. Needs PyPI the first time.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
wanted=tests/k8s/requirements.txt
dir=${JUMUN_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/jumun/tools}/k8s
if ! cmp -s "$wanted" "$dir/requirements.txt"; then
  rm -rf "$dir"
  python3 -m venv "$dir" || { echo "k8s: python3 -m venv failed: apt-get install python3-venv" >&2; exit 1; }
  "$dir/bin/pip" install -q --disable-pip-version-check --retries 5 --require-hashes --only-binary :all: -r "$wanted"
  cp "$wanted" "$dir/requirements.txt"
fi
echo "$dir"

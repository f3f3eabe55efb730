#!/usr/bin/env bash
# What ctest calls `k8s`: manifests_test.py, with what scripts/k8s_tools.sh installs.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
exec "$(scripts/k8s_tools.sh)/bin/python" tests/k8s/manifests_test.py

#!/usr/bin/env bash
# Plants each bug of domain/planted.hpp in turn and runs the checkers: every one must be caught, and
# no checker may be red without one. Exits 0 only then. Arguments: see --help.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
exec python3 tests/planted/run.py "$@"

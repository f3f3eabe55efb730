#!/usr/bin/env bash
# Breaks a real cluster under load, at random, and audits its books (tests/chaos/README.md). Exits 0 when all of them
# hold; 77 where it can't run. Ctrl-C ends the faults, then audits, and gives the verdict; twice, it ends at once.
#   scripts/chaos.sh [--minutes N] [--seed S] [--nodes 3] [--rate 80]
#   scripts/chaos.sh --fault NAME | --tour      one fault, or each once, short and alone
#   scripts/chaos.sh --help
# Needs root, netns-hosts.sh ($JUMUN_NETNS_HOSTS, or ../shared/tools beside this repository) and, from Debian, iproute2,
# nftables, vde2. A failed round's data and logs are kept, and where is printed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=${JUMUN_BUILD_DIR:-build}
[[ -f $build/build.ninja ]] || scripts/build.sh
cmake --build "$build" --target jumun jumun_crowd jumun_clock >"$build/chaos.log" || { cat "$build/chaos.log" >&2; exit 1; }
exec python3 tests/chaos/chaos.py "$@"

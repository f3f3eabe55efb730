#!/usr/bin/env bash
# Both checkers must tell the same of each history that was made by hand, and of one that was made up.
#   agrees.sh JUMUN_HISTORY    exit code 77: skipped, as there is no Go here or no way to its module
set -euo pipefail

history=$1
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
command -v go >/dev/null || { echo 'porcupine: skipped, there is no go in $PATH (Debian: golang-go)'; exit 77; }
go mod download || { echo 'porcupine: skipped, its module can not be downloaded'; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOFLAGS=-buildvcs=false go build -o "$work/porcupine" .
"$history" cases "$work/cases"
"$work/porcupine" -expect "$work/cases"
"$history" generate --operations 20000 --shelves 12 --lost 0 --file "$work/made-up.jsonl"
"$work/porcupine" -limit 400 "$work/made-up.jsonl"

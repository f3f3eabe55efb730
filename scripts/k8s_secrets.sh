#!/usr/bin/env bash
# Prints the Secrets that the pods of k8s/ need, made anew: the cluster's authority, API keys, and the admin's key.
#   scripts/k8s_secrets.sh | kubectl -n shop create -f -
# `create`, not `apply`: it refuses where they are there already. A second authority would part the nodes from each other.
# The binary is JUMUN_BINARY, or build/jumun.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  '') ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "$0"; exit 2 ;;
esac
jumun=${JUMUN_BINARY:-${JUMUN_BUILD_DIR:-build}/jumun}
[[ -x $jumun ]] || { echo "k8s_secrets: there is no $jumun: scripts/build.sh makes it" >&2; exit 1; }

umask 077
dir=$(mktemp -d)
trap 'rm -rf -- "$dir"' EXIT
"$jumun" certs ca --dir "$dir" --cluster shop >/dev/null
"$jumun" keys add --file "$dir/keys.json" --role admin --principal kubernetes | awk 'END {printf "%s", $NF}' >"$dir/key"

secret() { # NAME FILE…
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\ndata:\n' "$1"
  shift
  local file
  for file; do printf '  %s: %s\n' "$file" "$(base64 -w0 "$dir/$file")"; done
}
secret shop-authority ca.pem ca.key
secret shop-keys keys.json
secret shop-admin key

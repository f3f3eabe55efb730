#!/usr/bin/env bash
# Installs what Jumun is built with: Debian packages only, on Debian 12 or 13.
# Run it as root, or as a user with sudo. When all is there it does nothing, in no time.
set -euo pipefail

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# shellcheck source=/dev/null
. /etc/os-release
case "${ID:-}:${VERSION_ID:-}" in
  debian:12) boost=libboost1.81-dev ;; # 12's default Boost is 1.74: too old for our Beast
  debian:13) boost=libboost-dev ;;     # 1.83
  *) die "this is ${PRETTY_NAME:-an unknown system}; Jumun is built on Debian 12 or 13" ;;
esac

packages=(
  g++ cmake ninja-build ccache pkg-config
  libcaf-dev "$boost" librocksdb-dev nlohmann-json3-dev libspdlog-dev libssl-dev
  libprotobuf-dev protobuf-compiler libcli11-dev libjemalloc-dev libcurl4-openssl-dev
  catch2 python3                 # tests
  ca-certificates curl jq        # scripts/demo.sh
)

# Prints the packages that are not installed, one a line.
missing() {
  local package
  for package in "${packages[@]}"; do
    # shellcheck disable=SC2016 # ${…} is for dpkg-query
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

mapfile -t wanted < <(missing)
if ((${#wanted[@]} == 0)); then
  say "all ${#packages[@]} packages are there"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    die "needs root or sudo, for: apt-get install ${wanted[*]}"
  as_root=(sudo)
fi

# A mirror that hiccups is asked again by apt (Retries), and once more by us.
install_wanted() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3
    -o DPkg::Lock::Timeout=300)
  "${as_root[@]}" "${apt[@]}" update &&
    "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${wanted[@]}"
}

say "installing ${#wanted[@]} packages: ${wanted[*]}"
if ! install_wanted; then
  say "that failed; trying once more"
  sleep 5
  install_wanted || die "apt-get failed twice; see above"
fi

mapfile -t wanted < <(missing)
((${#wanted[@]} == 0)) || die "still missing: ${wanted[*]}"
say "done"

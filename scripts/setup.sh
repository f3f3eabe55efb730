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
  prometheus-cpp-dev
  catch2 python3 python3-venv rapidjson-dev   # tests
  ca-certificates curl jq        # scripts/demo.sh
)

# npm fetches what the console and /docs are made from. One that is there already is as good, whoever packed it.
if [[ ${JUMUN_CONSOLE:-ON} != OFF ]]; then
  command -v npm >/dev/null || packages+=(nodejs npm)
  packages+=(chromium fonts-nanum) # tests/console: a browser, and letters for its Korean pictures
fi

# scripts/chaos.sh makes hosts of network namespaces, where there is the tool for it.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -f ${JUMUN_NETNS_HOSTS:-$here/../shared/tools/netns-hosts.sh} ]]; then packages+=(iproute2 nftables vde2); fi

# Prints the packages that are not installed, one a line.
missing() {
  local package
  for package in "${packages[@]}"; do
    # shellcheck disable=SC2016 # ${…} is for dpkg-query
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

# Servers that tests talk to: Prometheus and etcd. Not as packages: those enable and start a service (by systemd, or by
# init.d where there is none), Prometheus's on our own ops port. Their programs alone, unpacked where nothing starts them;
# the tests look there for what $PATH does not have.
tools="${JUMUN_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/jumun/tools}"
has_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || [[ -x $tools/$tool ]] || return 1
  done
}
all_tools=(prometheus promtool etcd etcdctl)
unpack_tools() {
  local dir tool debs=()
  has_tools prometheus promtool || debs+=(prometheus)
  # A package of its own from 13 on.
  [[ $VERSION_ID == 12 ]] || has_tools promtool || debs+=(promtool)
  has_tools etcd etcdctl || debs+=(etcd-server etcd-client)
  ((${#debs[@]})) || return 0
  say "unpacking ${debs[*]} into $tools"
  dir=$(mktemp -d)
  (cd "$dir" && apt-get -q -o Acquire::Retries=3 download "${debs[@]}" 2>&1 &&
    for deb in *.deb; do dpkg-deb -x "$deb" . || exit 1; done &&
    mkdir -p "$tools" &&
    for tool in "${all_tools[@]}"; do
      [[ ! -e usr/bin/$tool ]] || cp "usr/bin/$tool" "$tools/" || exit 1
    done) || { rm -rf "$dir"; return 1; }
  rm -rf "$dir"
}

mapfile -t wanted < <(missing)
if ((${#wanted[@]} == 0)) && has_tools "${all_tools[@]}"; then
  say "all ${#packages[@]} packages are there"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    die "needs root or sudo, for: apt-get install ${wanted[*]}"
  as_root=(sudo)
fi

# Updates the lists, too: what is unpacked comes by them.
install_wanted() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3
    -o DPkg::Lock::Timeout=300)
  "${as_root[@]}" "${apt[@]}" update &&
    "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${wanted[@]}"
}

# One that hiccups is asked again by apt (Retries), and once more by us.
install_all() { install_wanted && unpack_tools; }
say "installing ${#wanted[@]} packages: ${wanted[*]}"
if ! install_all; then
  say "that failed; trying once more"
  sleep 5
  install_all || die "apt-get failed twice; see above"
fi

mapfile -t wanted < <(missing)
((${#wanted[@]} == 0)) || die "still missing: ${wanted[*]}"
say "done"

#!/bin/sh
# What is linked into the binary rather than loaded by it: Debian's packages of this machine, name and version a line.
set -eu
for package in librocksdb-dev libprotobuf-dev libjemalloc-dev nlohmann-json3-dev libcli11-dev libcaf-dev \
  libprometheus-cpp-dev prometheus-cpp-dev; do
  # shellcheck disable=SC2016 # ${…} is for dpkg-query
  dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\t${Version}\n' "$package" 2>/dev/null
done | sed -n 's/^ii \t//p' | sort
# shellcheck disable=SC2016
dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\t${Version}\n' 'libboost1.8*-dev' 2>/dev/null | sed -n 's/^ii \t//p' | sort

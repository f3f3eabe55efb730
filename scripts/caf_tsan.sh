#!/usr/bin/env bash
# Builds CAF's core with ThreadSanitizer, once, and prints the library's path on stdout; progress goes to stderr.
# Debian's is not instrumented, and CAF synchronises by atomics inside itself: without this each message looks like a race,
# and to suppress those would hide the races of our own handlers. The sources are Debian's own, of the version installed.
#   scripts/caf_tsan.sh      into $JUMUN_CAF_TSAN (default: ~/.cache/jumun/caf-tsan), which may be deleted at any time
#   JUMUN_JOBS               compilers at once (default: the processors)
set -euo pipefail

say() { echo "caf_tsan: $*" >&2; }
version=$(dpkg-query -W -f '${source:Version}' libcaf-dev)
folder=${JUMUN_CAF_TSAN:-${XDG_CACHE_HOME:-$HOME/.cache}/jumun/caf-tsan}
compiler=$("${CXX:-c++}" -dumpfullversion)
at=$folder/$version-$compiler
library=$at/lib/libcaf_core.so
if [[ -f $library ]]; then
  echo "$library"
  exit
fi

say "CAF $version with -fsanitize=thread, into $at: about five minutes, once"
mkdir -p "$folder"
work=$(mktemp -d "$folder/building.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
# The system's apt is left as it is: this one has the same entries as deb-src, and its own lists.
mkdir -p "$work"/sources.list.d "$work"/lists/partial "$work"/cache
for entry in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
  [[ -f $entry ]] && grep -q 'debian' "$entry" || continue
  sed -E 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$entry" >"$work/sources.list.d/${entry##*/}"
done
apt=(apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources.list.d"
  -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
say 'fetching the sources'
(
  cd "$work"
  "${apt[@]}" update
  # Without the patches of Debian's packaging: the headers, compared below, have none.
  "${apt[@]}" source --download-only --tar-only "actor-framework=$version"
  mkdir source
  tar -xf actor-framework_*.orig.tar.* -C source --strip-components=1
) >"$work/fetch.log" 2>&1 || { cat "$work/fetch.log" >&2; exit 1; }
# Code of ours is compiled against the installed headers.
if diff -rq "$work/source/libcaf_core/caf" /usr/include/caf | grep -v '^Only in /usr/include/' >&2; then
  say 'these headers are not those that are installed'
  exit 1
fi

launcher=()
! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S "$work/source" -B "$work/build" -G Ninja -Wno-dev "${launcher[@]}" \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO='-O1 -g1' \
  -DCMAKE_CXX_FLAGS='-fsanitize=thread -fno-omit-frame-pointer -w' \
  -DCAF_NO_{IO,OPENSSL,OPENCL,PYTHON,TOOLS,EXAMPLES,UNIT_TESTS}=ON \
  >"$work/configure.log" 2>&1 || { cat "$work/configure.log" >&2; exit 1; }
NINJA_STATUS='[%f/%t %es] ' cmake --build "$work/build" --parallel "${JUMUN_JOBS:-$(nproc)}" >&2
# Its options change the layout of its classes.
diff "$(find "$work/build" -name build_config.hpp)" /usr/include/caf/detail/build_config.hpp >&2 ||
  { say 'built with other options than the one installed'; exit 1; }
mkdir -p "$at/lib"
cp -a "$work"/build/lib/libcaf_core.so* "$at/lib/"
say 'done'
echo "$library"

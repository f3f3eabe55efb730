#!/usr/bin/env bash
# Builds the image localhost/jumun:VERSION by k8s/Containerfile, with podman or buildah, and writes into build/image:
#   jumun.tar        for `podman load`, `docker load`, `ctr images import`
#   jumun.spdx.json  the SBOM: SPDX 2.3, of what dpkg knows about the image's packages
#   scripts/build_image.sh [--base IMAGE | --base-root TAR] [--compile] [--twice]
#   --base       of its Debian packages; default docker.io/library/debian:bookworm-slim
#   --base-root  the same from a tar of a root file system (debootstrap --variant=minbase bookworm), without a registry
#   --compile    inside of the base; default: build/jumun as it is, which wants to be built on the same Debian
#   --twice      builds it once more and fails where a file, a mode or a label differs
# The times in it are those of the last commit (SOURCE_DATE_EPOCH). Needs root, or subuids.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

die() { printf 'image: %s\n' "$*" >&2; exit 1; }
say() { printf 'image: %s\n' "$*"; }

base=docker.io/library/debian:bookworm-slim base_root='' compile='' twice=''
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "$0"; exit 0 ;;
    --base) base=${2:?--base needs an image}; shift ;;
    --base-root) base_root=${2:?--base-root needs a tar}; shift ;;
    --compile) compile=1 ;;
    --twice) twice=1 ;;
    *) die "what is \"$1\"? --base IMAGE, --base-root TAR, --compile, --twice" ;;
  esac
  shift
done
command -v buildah >/dev/null || die "needs buildah: apt-get install buildah"

version=$(sed -n 's/^project(jumun VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
name=localhost/jumun:$version out=${JUMUN_BUILD_DIR:-build}/image
mkdir -p "$out"
context=$(mktemp -d)
trap 'rm -rf -- "$context"' EXIT

# What git knows, and the binary. Nothing else of this folder gets near the image.
git ls-files -z | xargs -0 cp -a --parents -t "$context"
if [[ ! $compile ]]; then
  binary=${JUMUN_BUILD_DIR:-build}/jumun
  [[ -x $binary ]] || die "there is no $binary: scripts/build.sh makes it; or --compile"
  mkdir "$context/prebuilt"
  strip -o "$context/prebuilt/jumun" "$binary"
  sh k8s/linked.sh >"$context/prebuilt/linked.tsv"
fi
if [[ $base_root ]]; then
  from=$(buildah from scratch)
  buildah add -q "$from" "$base_root" / >/dev/null
  base=localhost/debian:bookworm-minbase
  buildah commit -q --rm "$from" "$base" >/dev/null
fi

build() { # TAG
  buildah bud -q --no-cache --isolation chroot --network host --timestamp "$SOURCE_DATE_EPOCH" \
    --build-arg BASE="$base" --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
    --build-arg CREATED="$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" \
    -t "$1" -f k8s/Containerfile "$context"
}
digest_of() { buildah inspect --type image --format '{{.FromImageDigest}}' "$1"; }

started=$SECONDS
build "$name" >/dev/null
say "$name built in $((SECONDS - started)) s"
rm -f "$out/jumun.tar"
buildah push -q "$name" "docker-archive:$out/jumun.tar:$name"
python3 scripts/sbom.py "$out/jumun.tar" "$version" >"$out/jumun.spdx.json"

python3 - "$out/jumun.tar" <<'P'
import json, sys, tarfile
with tarfile.open(sys.argv[1]) as image:
    manifest = json.load(image.extractfile("manifest.json"))[0]
    config = json.load(image.extractfile(manifest["Config"]))
    size = sum(image.getmember(layer).size for layer in manifest["Layers"])
print(f"image: {size / 1e6:.1f} MB in {len(manifest['Layers'])} layer(s), user {config['config']['User']}, "
      f"config {manifest['Config'][:12]}")
if size > 120e6:
    sys.exit("image: larger than 120 MB")
P
if [[ $twice ]]; then
  build "$name-again" >/dev/null
  [[ $(digest_of "$name") == "$(digest_of "$name-again")" ]] || die "a second build differs"
  say "a second build has the same digest: $(digest_of "$name")"
  buildah rmi "$name-again" >/dev/null
fi
say "$out/jumun.tar, $out/jumun.spdx.json ($(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["packages"]))' "$out/jumun.spdx.json") packages)"

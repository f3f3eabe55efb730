#!/bin/sh
# rootfs.sh BINARY DIR: makes DIR a root with the binary, the files of the packages whose libraries it loads (without
# documents), certificate authorities, and a user. What dpkg knows of the packages comes along, for scanners and the SBOM.
set -eu
binary=$1 dir=$2

# dpkg knows some files by the path before /usr was merged.
package_of() { dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "$(realpath "$1")" 2>/dev/null || dpkg-query -S "${1#/usr}"; }

missing=$(ldd "$binary" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p')
[ -z "$missing" ] || { echo "rootfs: not found: $missing" >&2; exit 1; }
packages=$(for library in $(ldd "$binary" | awk '$2 == "=>" {print $3}'); do package_of "$library"; done | sed 's/:.*//' | sort -u)

mkdir -p "$dir/bin" && rmdir "$dir/bin"
mkdir -p "$dir/usr/bin" "$dir/usr/sbin" "$dir/usr/lib" "$dir/usr/lib64" "$dir/etc/ssl/certs" "$dir/var/lib/dpkg/status.d" "$dir/data"
for link in bin sbin lib lib64; do ln -s "usr/$link" "$dir/$link"; done
install -d -m 1777 "$dir/tmp"

for package in base-files ca-certificates $packages; do
  dpkg-query -s "$package" >"$dir/var/lib/dpkg/status.d/$package"
done
for package in $packages; do
  dpkg-query -L "$package" | while read -r file; do
    case $file in */gconv/* | /usr/share/man/* | /usr/share/locale/* | /usr/share/lintian/*) continue ;; esac
    case $file in /usr/share/doc/*) [ "${file##*/}" = copyright ] || continue ;; esac
    [ -f "$file" ] || [ -h "$file" ] || continue
    [ ! -d "$file" ] || [ -h "$file" ] || continue
    case $file in /lib/* | /lib64/* | /bin/* | /sbin/*) to=/usr$file ;; *) to=$file ;; esac
    mkdir -p "$dir${to%/*}"
    cp -a "$file" "$dir$to"
  done
done
cp /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/"
cp -L /etc/os-release "$dir/etc/os-release"
printf 'root:x:0:0:root:/:/sbin/nologin\njumun:x:10001:10001:jumun:/data:/sbin/nologin\n' >"$dir/etc/passwd"
printf 'root:x:0:\njumun:x:10001:\n' >"$dir/etc/group"
printf 'hosts: files dns\n' >"$dir/etc/nsswitch.conf"
install -m 755 "$binary" "$dir/usr/bin/jumun"
chown -R 0:0 "$dir"
chown 10001:10001 "$dir/data"
ldconfig -r "$dir" -C /etc/ld.so.cache
rm -rf "$dir/var/cache/ldconfig"
chroot "$dir" /usr/bin/jumun version

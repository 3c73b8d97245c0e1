# A Debian root with the packages, from a container image. $1 root  $2 image  $3 packages, by comma
mkdir -p "$1"
docker image inspect "$2" > /dev/null 2>&1 || docker pull "$2"
container=$(docker create "$2" /bin/true)
docker export "$container" | tar -C "$1" --numeric-owner -xf - || { docker rm "$container"; exit 1; }
docker rm "$container"
grep -q '^ID=debian' "$1/etc/os-release" || { echo "$2 is not a Debian image"; exit 1; }

mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mkdir -p "$1/run" "$1/tmp"
mount -t tmpfs tmpfs "$1/run"
# A name server for the time of the installation only; the engine mounts the VM's own over it later.
rm -f "$1/etc/resolv.conf"
cp -L /etc/resolv.conf "$1/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
chmod +x "$1/usr/sbin/policy-rc.d"
chroot "$1" apt-get update
chroot "$1" apt-get install -y --no-install-recommends $(echo "$3" | tr , ' ')
rm -f "$1/usr/sbin/policy-rc.d"
: > "$1/etc/resolv.conf"

# Makes a Debian root a VM's: BOSH's user and directories, the archive's addresses, nothing that no VM reads.
# $1 root  $2 suite  $3 mirror or nothing  $4 file with the patterns to remove  $5 file that takes the list of packages
chroot "$1" getent group vcap > /dev/null || chroot "$1" groupadd --gid 1000 vcap
chroot "$1" getent passwd vcap > /dev/null ||
    chroot "$1" useradd --uid 1000 --gid 1000 --home-dir /home/vcap --create-home --shell /bin/bash vcap
for directory in bosh data store sys jobs packages; do
    mkdir -p "$1/var/vcap/$directory"
done
# A root from an image keeps its own addresses; debootstrap has noted only the release itself.
mirror=$(sed -n "s/^deb \\([^ ]*\\) $2 main.*/\\1/p" "$1/etc/apt/sources.list" 2> /dev/null | head -n 1) || mirror=
[ -z "${3:-$mirror}" ] ||
    printf 'deb %s %s main\ndeb %s %s-updates main\n' "${3:-$mirror}" "$2" "${3:-$mirror}" "$2" > "$1/etc/apt/sources.list"
chroot "$1" dpkg-query -W -f '${Package} ${Version}\n' > "$5"
cd "$1"
while read -r pattern; do
    # Unquoted on purpose: the pattern names files below the root.
    rm -rf -- $pattern
done < "$4"

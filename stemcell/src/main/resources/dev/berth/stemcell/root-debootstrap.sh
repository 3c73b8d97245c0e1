# A Debian root with the packages, from Debian's archive. $1 root  $2 suite  $3 mirror  $4 debs  $5 packages, by comma
mkdir -p "$4"
debootstrap --variant=minbase --cache-dir="$4" --include="$5" "$2" "$1" "$3"

# A Debian root with the packages, from Debian's archive. $1 root  $2 suite  $3 mirror  $4 packages, by comma
debootstrap --variant=minbase --include="$4" "$2" "$1" "$3"

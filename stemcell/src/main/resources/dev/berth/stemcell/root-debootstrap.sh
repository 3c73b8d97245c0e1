# A Debian root with the packages, from Debian's archive. $1 root  $2 suite  $3 mirror or nothing  $4 packages, by comma
mirror=$3
# Where this host is a Debian, its own mirror is the one that is near and allowed.
[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' \
    'Created-By: Packages' 2> /dev/null | sed -n 's/^Debian Debian main //p' | head -n 1) || mirror=
debootstrap --variant=minbase --include="$4" "$2" "$1" ${mirror:+"$mirror"}

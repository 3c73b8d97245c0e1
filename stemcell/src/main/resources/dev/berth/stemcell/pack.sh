# The image: one tar of the three layers, each path once (engines refuse doubles).
# $1 root  $2 runtime layer  $3 agent layer  $4 image
tar --create --file "$4" --format=gnu --numeric-owner \
    --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* --exclude=./run/* --exclude=./tmp/* \
    --exclude=./var/vcap/bosh --directory "$1" .
tar --append --file "$4" --format=gnu --numeric-owner \
    --directory "$3" ./var/vcap/bosh --directory "$2" ./var/vcap/bosh/agent/jre

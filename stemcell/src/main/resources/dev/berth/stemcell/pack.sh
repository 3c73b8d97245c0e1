# The image: one tar of the three layers. $1 root  $2 runtime layer  $3 agent layer  $4 image
tar --create --file "$4" --format=gnu --numeric-owner \
    --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* --exclude=./run/* --exclude=./tmp/* \
    --directory "$1" . --directory "$2" ./var/vcap/bosh --directory "$3" ./var/vcap/bosh

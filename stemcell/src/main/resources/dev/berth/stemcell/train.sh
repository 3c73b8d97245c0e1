# Makes the agent's AOT cache with the runtime, the flags, the jars and the paths that the VM has: it holds for no others.
# $1 root  $2 runtime layer  $3 agent layer  $4 seconds  then the flags and main class
root=$1 runtime=$2 agent=$3 seconds=$4
shift 4
home=/var/vcap/bosh/agent
mkdir -p "$agent$home/jre"
mount --bind "$agent/var/vcap/bosh" "$root/var/vcap/bosh"
mount --bind "$runtime$home/jre" "$root$home/jre"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
# NATS's threads are no daemons: a training run that fails in main would stay.
timeout -k 5 "$seconds" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 chroot "$root" "$home/jre/bin/java" "$@"
umount "$root$home/jre"
rmdir "$agent$home/jre"
test -s "$agent$home/agent.aot"

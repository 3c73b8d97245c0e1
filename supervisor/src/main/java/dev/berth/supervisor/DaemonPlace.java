package dev.berth.supervisor;

import dev.berth.model.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Where the Docker daemon of a VM and its files are.
 *
 * @param home what the start script reads: the daemon's JSON file, its environment, its keys; and
 *     what the keeper remembers. Only root looks into it
 * @param own of the JSON file what no manifest changes: socket, pid file, directories
 * @param dataRoot where images and layers are unless a manifest moves them
 * @param certificates the directory in which the daemon looks for those of registries
 * @param store mount point of the persistent disk
 * @param log of the daemon
 * @param kernel {@code /proc/sys}
 */
public record DaemonPlace(
        Path home,
        Map<String, Object> own,
        Path dataRoot,
        Path certificates,
        Path store,
        Path log,
        Path kernel) {
    /**
     * A VM's.
     *
     * @param base {@code /var/vcap} there
     */
    public static DaemonPlace inVm(Path base, Path socket, Path pidFile) {
        return new DaemonPlace(
                base.resolve("bosh/dockerd"),
                Json.of(
                        "hosts",
                        List.of("unix://" + socket),
                        "pidfile",
                        pidFile.toString(),
                        // From 100.64/10 (RFC 6598): inner networks never hide the one the VM is
                        // in.
                        "bip",
                        "100.64.0.1/20",
                        "default-address-pools",
                        List.of(Json.of("base", "100.65.0.0/16", "size", 24L))),
                base.resolve("data/docker"),
                Path.of("/etc/docker/certs.d"),
                base.resolve("store"),
                base.resolve("data/log/dockerd.log"),
                Path.of("/proc/sys"));
    }
}

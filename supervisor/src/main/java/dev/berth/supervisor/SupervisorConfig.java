package dev.berth.supervisor;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Where a supervisor stands.
 *
 * @param instance value of the label that marks our containers; one engine may serve several
 * @param bootId of the VM, e.g. {@code /proc/sys/kernel/random/boot_id} or what the VM's init made
 *     at its start; another one means that nothing observed before holds
 * @param store mount point of the persistent disk, {@code /var/vcap/store} in a VM
 * @param data directory on the ephemeral disk, {@code /var/vcap/data} in a VM
 * @param network name of the bridge network that the containers of the instance share
 * @param lookPeriod how often everything is listed though no event asks for it
 * @param run directory in memory, where secrets of containers are; {@code /run/berth} in a VM
 * @param defaults what containers and networks take from the daemon's settings
 */
public record SupervisorConfig(
        String instance,
        String bootId,
        Path store,
        Path data,
        String network,
        Duration lookPeriod,
        Path run,
        DaemonDefaults defaults) {
    /** Limits on steps that run at once: the engine and the disk gain nothing from more. */
    static final int PULLS = 2;

    static final int STARTS = 8;

    /** How long an engine may take over a list before it counts as not answering. */
    static final Duration LIST_LIMIT = Duration.ofSeconds(5);

    /** How long {@link Supervisor#prepare} waits for a daemon that is just coming up. */
    static final Duration DAEMON_PATIENCE = Duration.ofSeconds(60);

    /** Where the persistent disks with a name are mounted, beside the one without. */
    Path disks() {
        return store.resolveSibling("disks");
    }

    /** With {@code run} on the ephemeral disk: for places without a file system in memory. */
    public SupervisorConfig(
            String instance,
            String bootId,
            Path store,
            Path data,
            String network,
            Duration lookPeriod) {
        this(instance, bootId, store, data, network, lookPeriod, data.resolve("sys/run"));
    }

    /** With a daemon that has no settings of its own. */
    public SupervisorConfig(
            String instance,
            String bootId,
            Path store,
            Path data,
            String network,
            Duration lookPeriod,
            Path run) {
        this(instance, bootId, store, data, network, lookPeriod, run, DaemonDefaults.NONE);
    }

    /** The paths of a BOSH VM. */
    public static SupervisorConfig inVm(String instance, String bootId) {
        return new SupervisorConfig(
                instance,
                bootId,
                Path.of("/var/vcap/store"),
                Path.of("/var/vcap/data"),
                "berth",
                Duration.ofSeconds(10),
                Path.of("/run/berth"));
    }
}

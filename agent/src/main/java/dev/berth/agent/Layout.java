package dev.berth.agent;

import java.nio.file.Path;

/**
 * Where the agent's files are.
 *
 * @param base {@code /var/vcap} in a VM
 * @param etc {@code /etc} in a VM
 * @param proc {@code /proc}
 * @param sys {@code /sys}
 */
record Layout(Path base, Path etc, Path proc, Path sys) {
    static Layout of(Path base) {
        return new Layout(base, Path.of("/etc"), Path.of("/proc"), Path.of("/sys"));
    }

    Path bosh() {
        return base.resolve("bosh");
    }

    Path spec() {
        return bosh().resolve("spec.json");
    }

    Path updatedSettings() {
        return bosh().resolve("update_settings.json");
    }

    Path cachedSettings() {
        return bosh().resolve("settings.json");
    }

    Path pendingCalls() {
        return bosh().resolve("tasks.json");
    }

    Path diskHints() {
        return bosh().resolve("persistent_disk_hints.json");
    }

    Path diskOptions() {
        return bosh().resolve("persistent_disk_options.json");
    }

    /** Disks seen with the mark that another one has their data. */
    Path supersededDisks() {
        return bosh().resolve("superseded_disks.json");
    }

    /** How full disks were lately. */
    Path diskFills() {
        return bosh().resolve("disk_fills.json");
    }

    /** Errors that the kernel told of; gone with the boot. */
    Path diskErrors() {
        return memory().resolve("disk_errors.json");
    }

    /** The same as {@link #lastMountedDisk} for disks with a name. */
    Path lastMountedNamedDisks() {
        return bosh().resolve("named_disk_settings.json");
    }

    Path lastMountedDisk() {
        return bosh().resolve("managed_disk_settings.json");
    }

    /** Cid of the disk that this agent saw blank and began to format. */
    Path formattingDisk() {
        return bosh().resolve("formatting_disk");
    }

    /** What the director needs to know this instance again when it has lost its store. */
    Path record() {
        return bosh().resolve("record");
    }

    /** The same, on the persistent disk. */
    Path recordOnDisk() {
        return store().resolve(DiskMarks.RECORD_FILE);
    }

    Path data() {
        return base.resolve("data");
    }

    /** In a VM a file system in memory: gone with the boot. */
    Path memory() {
        return base.equals(Path.of("/var/vcap"))
                ? Path.of("/run/berth")
                : data().resolve("sys/run/berth");
    }

    Path store() {
        return base.resolve("store");
    }

    /** Where the disk of that name is live; the managed one has none: "". */
    Path place(String name) {
        return name.isEmpty() ? store() : base.resolve("disks").resolve(name);
    }

    /** Where a disk is mounted while another one of its name is live. */
    Path aside(String name) {
        return name.isEmpty()
                ? base.resolve("store_migration_target")
                : base.resolve("disks_migration_target").resolve(name);
    }

    /** Where the live disk goes while its data is moved and nobody may use it. */
    Path migrationSource(String name) {
        return name.isEmpty()
                ? base.resolve("store_migration_source")
                : base.resolve("disks_migration_source").resolve(name);
    }

    /** Links to the devices of disks that jobs use as they are. */
    Path rawDisks() {
        return instance().resolve("disks");
    }

    Path instance() {
        return base.resolve("instance");
    }

    Path jobs() {
        return base.resolve("jobs");
    }

    Path jobLogs() {
        return base.resolve("sys/log");
    }

    Path temporary() {
        return data().resolve("tmp");
    }

    Path sensitiveBlobs() {
        return data().resolve("sensitive_blobs");
    }

    Path hosts() {
        return etc.resolve("hosts");
    }

    Path mountInfo() {
        return proc.resolve("self/mountinfo");
    }
}

package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where a group says what it wants of the Docker daemon: its block {@code docker}, or the docker
 * release's job of that name with its properties, or the global ones.
 */
record GroupDaemon(Section root, Section group, String name) {
    private static final String JOB = "docker";

    DaemonWish read() {
        var sources = new ArrayList<Section>();
        Section block = group.has(JOB) ? group.section(JOB) : null;
        if (block != null) {
            block.checkKeys(DaemonReader.names(), Map.of());
            sources.add(block);
        }
        for (Section job : group.sections("jobs")) {
            if (!ReleaseRef.DOCKER.equals(job.tree().get("release"))
                    || !JOB.equals(job.tree().get("name"))) {
                continue;
            }
            if (block != null) {
                group.at(JOB)
                        .error(
                                "Instance group '"
                                        + name
                                        + "' has a block 'docker' and the job 'docker'",
                                "keep one of them");
            }
            ofJob(job, sources);
        }
        if (sources.isEmpty()) {
            return DaemonWish.NONE;
        }
        // Read for its mistakes only: what still holds placeholders is read when they have values.
        DaemonSettings known = new DaemonReader(sources).read();
        checkStore(known, sources);
        return new DaemonWish(
                sources.stream().map(Section::tree).toList(), sources.getFirst().path());
    }

    /** Properties with the prefix of 2014 count where one without it does not stand. */
    private void ofJob(Section job, List<Section> sources) {
        List<Section> bases =
                job.has("properties")
                        ? List.of(job.section("properties"))
                        : List.of(group.section("properties"), root.section("properties"));
        for (Section base : bases) {
            sources.add(base);
            if (job.has("properties")) {
                var known = new TreeSet<>(DaemonReader.names());
                known.addAll(Set.of("containers", JOB, "remote_syslog"));
                warnOfUnknown(base, known);
            }
            if (base.at(JOB).isMap()) {
                Section old = base.section(JOB);
                sources.add(old);
                warnOfUnknown(old, DaemonReader.oldNames());
                for (String key : List.of("user", "group")) {
                    if (old.has(key)) {
                        old.at(key)
                                .warning(
                                        "'" + key + "' has no effect",
                                        "there is no docker client that could run as somebody");
                    }
                }
            }
        }
    }

    /** The release ignored what it did not know, so old manifests may hold such keys. */
    private static void warnOfUnknown(Section section, Set<String> known) {
        for (String key : section.tree().keySet()) {
            if (!known.contains(key) && !key.startsWith("x-")) {
                section.at(key)
                        .warning(
                                "Unknown property '" + key + "' of the 'docker' job is ignored",
                                Nearest.of(key, known)
                                        .map(k -> "did you mean '" + k + "'?")
                                        .orElse(null));
            }
        }
    }

    private void checkStore(DaemonSettings settings, List<Section> sources) {
        String folder = settings.storeDir() + "/";
        boolean disk =
                List.of("persistent_disk", "persistent_disk_type", "persistent_disks").stream()
                        .anyMatch(
                                k -> group.has(k) && !Long.valueOf(0).equals(group.at(k).value()));
        if (folder.startsWith("/var/vcap/store/") && !disk) {
            sources.stream()
                    .filter(s -> s.has("store_dir"))
                    .findFirst()
                    .ifPresent(s ->
                            s.at("store_dir")
                                    .error(
                                            "'store_dir' is on the persistent disk, but instance"
                                                    + " group '"
                                                    + name
                                                    + "' has none",
                                            "give the group 'persistent_disk' (MiB), or leave"
                                                    + " 'store_dir' out"));
        }
    }
}

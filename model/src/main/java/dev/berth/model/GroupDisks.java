package dev.berth.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an instance group says of its persistent disks: at most one of the three keys.
 *
 * @param sizeMb of the managed disk; 0: none, or {@code type} says
 * @param type of the managed disk
 * @param named disks of {@code persistent_disks}
 */
public record GroupDisks(long sizeMb, @Nullable String type, List<Named> named) {
    public static final GroupDisks NONE = new GroupDisks(0, null, List.of());

    /** Where named disks are mounted, each below its name. */
    static final String PLACE =
            ContainerStorage.NAMED_DISKS.substring(0, ContainerStorage.NAMED_DISKS.length() - 1);

    private static final int MOST = 16;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");

    /**
     * A disk with a name.
     *
     * @param raw attached and never formatted nor mounted, as in BOSH
     */
    public record Named(String name, String type, boolean raw) {}

    /** Whether there is a disk of this name; empty: the managed one. */
    boolean has(String name) {
        return name.isEmpty()
                ? sizeMb > 0 || type != null
                : named.stream().anyMatch(d -> d.name().equals(name));
    }

    static GroupDisks read(Section group, String name) {
        return new Reader(group, name).read();
    }

    private record Reader(Section group, String name) {
        private String says(String what) {
            return "Instance group '" + name + "' " + what;
        }

        GroupDisks read() {
            Stream<String> keys =
                    Stream.of("persistent_disk", "persistent_disk_type", "persistent_disks");
            if (keys.filter(group::has).count() > 1) {
                group.spot()
                        .error(
                                140013,
                                says(
                                        "specifies more than one of the following keys:"
                                                + " 'persistent_disk', 'persistent_disk_type',"
                                                + " and 'persistent_disks'. Choose one."),
                                null);
            }
            Long size = group.optionalInteger("persistent_disk");
            if (size != null && size < 0) {
                group.at("persistent_disk")
                        .error(
                                140013,
                                says("references an invalid persistent disk size '" + size + "'"),
                                "MiB, such as 10240");
            }
            return new GroupDisks(
                    size == null ? 0 : Math.max(0, size),
                    group.optionalString("persistent_disk_type"),
                    named());
        }

        private List<Named> named() {
            var disks = new ArrayList<Named>();
            var names = new HashSet<String>();
            // Without containers nobody here would use a mount: the jobs take the device.
            boolean raw = !group.has("containers") && !runsContainersJob();
            for (Section disk : group.sections("persistent_disks")) {
                disk.checkKeys(Set.of("name", "type", "raw"), Map.of());
                String own = disk.has("name") ? disk.string("name") : "";
                if (own.isEmpty()) {
                    disk.spot()
                            .error(
                                    140013,
                                    says(
                                            "persistent_disks's section contains a disk with no"
                                                    + " name"),
                                    null);
                } else if (!NAME.matcher(own).matches()) {
                    disk.at("name")
                            .error(
                                    "'"
                                            + own
                                            + "' cannot name a disk, which is mounted at "
                                            + PLACE
                                            + "/NAME",
                                    "letters, digits, '-', '_' and '.', at most 63");
                } else if (!names.add(own)) {
                    group.at("persistent_disks")
                            .error(
                                    140013,
                                    says("persistent_disks's section contains duplicate names"),
                                    null);
                }
                disks.add(new Named(own, disk.string("type"), disk.flag("raw", raw)));
            }
            if (disks.size() > MOST) {
                group.at("persistent_disks").error("more than " + MOST + " disks", null);
            }
            return List.copyOf(disks);
        }

        private boolean runsContainersJob() {
            return group.sections("jobs").stream()
                    .anyMatch(job -> ReleaseRef.DOCKER.equals(job.tree().get("release")));
        }
    }
}

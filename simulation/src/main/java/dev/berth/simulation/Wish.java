package dev.berth.simulation;

import dev.berth.testkit.FakeVm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A deployment as the operator of a simulation wants it; its manifest is made from it. */
record Wish(String name, String stemcell, String tag, List<Group> groups) {
    private static final int BROKEN = -1;

    /**
     * @param diskMb 0: no disk
     */
    record Group(
            String name,
            int instances,
            List<String> azs,
            String vmType,
            long diskMb,
            int maxInFlight,
            List<Container> containers,
            Disks disks,
            String formerly) {
        Group(
                String name,
                int instances,
                List<String> azs,
                String vmType,
                long diskMb,
                int maxInFlight,
                List<Container> containers) {
            this(name, instances, azs, vmType, diskMb, maxInFlight, containers, Disks.NONE, "");
        }

        private Group with(int count, String type, long mb, List<Container> all) {
            return new Group(name, count, azs, type, mb, maxInFlight, all, disks, formerly);
        }

        Group instances(int count) {
            return with(count, vmType, diskMb, containers);
        }

        Group vmType(String type) {
            return with(instances, type, diskMb, containers);
        }

        Group diskMb(long size) {
            return with(instances, vmType, size, containers);
        }

        Group containers(List<Container> next) {
            return with(instances, vmType, diskMb, next);
        }

        Group azs(List<String> next) {
            return new Group(
                    name,
                    instances,
                    next,
                    vmType,
                    diskMb,
                    maxInFlight,
                    containers,
                    disks,
                    formerly);
        }

        /** A managed disk of that type of the cloud config, which has the size of before. */
        Group diskType(String type) {
            return disks(new Disks(type, Map.of()));
        }

        /** Disks with names, each of a type; containers with data then lie on {@code data}. */
        Group named(Map<String, String> types) {
            return diskMb(0).disks(new Disks("", types));
        }

        private Group disks(Disks next) {
            return new Group(
                    name, instances, azs, vmType, diskMb, maxInFlight, containers, next, formerly);
        }

        /** The same instances under another name. */
        Group renamed(String next) {
            return new Group(
                    next, instances, azs, vmType, diskMb, maxInFlight, containers, disks, name);
        }
    }

    /**
     * @param type of the managed disk; empty: only its size is given
     * @param named types by name
     */
    record Disks(String type, Map<String, String> named) {
        static final Disks NONE = new Disks("", Map.of());
    }

    /**
     * @param data whether it keeps data on the persistent disk
     * @param needs names of containers it depends on
     */
    record Container(String name, int version, boolean data, List<String> needs) {
        Container next() {
            return new Container(name, version + 1, data, needs);
        }

        /** A version that never becomes ready. */
        Container broken() {
            return new Container(name, BROKEN, data, needs);
        }

        String image() {
            return "registry.berth/app:" + (version == BROKEN ? FakeVm.BROKEN : "" + version);
        }
    }

    Wish groups(List<Group> next) {
        return new Wish(name, stemcell, tag, next);
    }

    Wish with(Group group) {
        return groups(groups.stream().map(g -> g.name().equals(group.name()) ? group : g).toList());
    }

    Wish stemcell(String version) {
        return new Wish(name, version, tag, groups);
    }

    Wish tag(String value) {
        return new Wish(name, stemcell, value, groups);
    }

    int instances() {
        return groups.stream().mapToInt(Group::instances).sum();
    }

    String manifest() {
        var text = new StringBuilder();
        text.append("name: ").append(name).append('\n');
        text.append("tags: {owner: ").append(tag).append("}\n");
        text.append("stemcells: [{alias: default, name: berth-debian, version: \"")
                .append(stemcell)
                .append("\"}]\n");
        text.append("update: {canaries: 1, max_in_flight: 2, canary_watch_time: 0-60000,")
                .append(" update_watch_time: 0-60000, on_failure: rollback}\n");
        text.append("instance_groups:\n");
        groups.forEach(g -> append(text, g));
        return text.toString();
    }

    private static void append(StringBuilder text, Group g) {
        text.append("- name: ").append(g.name()).append('\n');
        text.append("  instances: ").append(g.instances()).append('\n');
        text.append("  azs: ").append(g.azs()).append('\n');
        text.append("  vm_type: ").append(g.vmType()).append('\n');
        text.append("  stemcell: default\n");
        append(text, g, g.disks());
        if (!g.formerly().isEmpty()) {
            text.append("  migrated_from: [{name: ").append(g.formerly()).append("}]\n");
        }
        text.append("  networks: [{name: default}]\n");
        text.append("  update: {max_in_flight: ").append(g.maxInFlight()).append("}\n");
        text.append("  containers:\n");
        for (Container c : g.containers()) {
            text.append("  - name: ").append(c.name()).append('\n');
            text.append("    image: ").append(c.image()).append('\n');
            text.append("    environment: {PASSWORD: ((secret))}\n");
            if (c.data() && g.disks().named().isEmpty()) {
                text.append("    volumes: [\"").append(c.name()).append(":/data\"]\n");
            } else if (c.data()) {
                text.append("    volumes: [\"/var/vcap/disks/data/rows:/data\"]\n");
            }
            if (!c.needs().isEmpty()) {
                text.append("    depends_on: ").append(c.needs()).append('\n');
            }
        }
    }

    private static void append(StringBuilder text, Group g, Disks disks) {
        if (!disks.named().isEmpty()) {
            text.append("  persistent_disks:\n");
            new TreeMap<>(disks.named())
                    .forEach((name, type) ->
                            text.append("  - {name: ")
                                    .append(name)
                                    .append(", type: ")
                                    .append(type)
                                    .append(type.equals("device") ? ", raw: true}\n" : "}\n"));
        } else if (!disks.type().isEmpty()) {
            text.append("  persistent_disk_type: ").append(disks.type()).append('\n');
        } else if (g.diskMb() > 0) {
            text.append("  persistent_disk: ").append(g.diskMb()).append('\n');
        }
    }

    /** A container and all that move with it. */
    static List<String> withDependents(Group group, String container) {
        var moving = new ArrayList<>(List.of(container));
        for (boolean more = true; more; ) {
            more = false;
            for (Container c : group.containers()) {
                if (!moving.contains(c.name()) && c.needs().stream().anyMatch(moving::contains)) {
                    more = moving.add(c.name());
                }
            }
        }
        return moving;
    }

    Map<String, Group> byName() {
        return groups.stream().collect(Collectors.toMap(Group::name, g -> g));
    }
}

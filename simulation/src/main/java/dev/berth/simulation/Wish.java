package dev.berth.simulation;

import dev.berth.testkit.FakeVm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
            List<Container> containers) {
        Group instances(int count) {
            return new Group(name, count, azs, vmType, diskMb, maxInFlight, containers);
        }

        Group vmType(String type) {
            return new Group(name, instances, azs, type, diskMb, maxInFlight, containers);
        }

        Group diskMb(long size) {
            return new Group(name, instances, azs, vmType, size, maxInFlight, containers);
        }

        Group containers(List<Container> next) {
            return new Group(name, instances, azs, vmType, diskMb, maxInFlight, next);
        }
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
        if (g.diskMb() > 0) {
            text.append("  persistent_disk: ").append(g.diskMb()).append('\n');
        }
        text.append("  networks: [{name: default}]\n");
        text.append("  update: {max_in_flight: ").append(g.maxInFlight()).append("}\n");
        text.append("  containers:\n");
        for (Container c : g.containers()) {
            text.append("  - name: ").append(c.name()).append('\n');
            text.append("    image: ").append(c.image()).append('\n');
            text.append("    environment: {PASSWORD: ((secret))}\n");
            if (c.data()) {
                text.append("    volumes: [\"").append(c.name()).append(":/data\"]\n");
            }
            if (!c.needs().isEmpty()) {
                text.append("    depends_on: ").append(c.needs()).append('\n');
            }
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

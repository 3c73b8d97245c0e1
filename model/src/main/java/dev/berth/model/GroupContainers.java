package dev.berth.model;

import dev.berth.model.ContainerChecks.Placed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Reads the containers of one instance group, whichever notation each is in. */
record GroupContainers(Section root, Section group, String name) {
    List<ContainerSpec> read() {
        var placed = new ArrayList<Placed>();
        FileDefinitions files = FileDefinitions.of(root, group);
        for (Section container : group.sections("containers")) {
            placed.add(new Placed(ContainerReader.compose(container, files), container));
        }
        removeInactive(placed);
        for (Section job : group.sections("jobs")) {
            if (Stream.of("release", "name")
                    .map(k -> job.tree().get(k))
                    .toList()
                    .equals(List.of(ReleaseRef.DOCKER, "containers"))) {
                Section properties = containerProperties(job);
                ContainerLogging logging = ReleaseProperties.logging(properties);
                for (Section container : properties.sections("containers")) {
                    placed.add(new Placed(ContainerReader.release(container, logging), container));
                }
            }
        }
        ContainerChecks.check(name, placed);
        Map<String, ContainerSpec> byName = new LinkedHashMap<>();
        placed.forEach(p -> byName.putIfAbsent(p.spec().name(), p.spec()));
        placed.replaceAll(p -> new Placed(inheriting(p.spec(), byName), p.section()));
        List<ContainerSpec> specs = placed.stream().map(Placed::spec).toList();
        var result = new ArrayList<ContainerSpec>();
        for (Placed container : placed) {
            checkDisks(container);
            result.add(
                    container.section().has("restart")
                                    || container
                                            .section()
                                            .map("deploy")
                                            .containsKey("restart_policy")
                            ? container.spec()
                            : ContainerReader.endingAs(container.spec(), specs));
        }
        return List.copyOf(result);
    }

    /** Leaves out containers whose profiles the group does not name. */
    private void removeInactive(List<Placed> placed) {
        List<String> active = group.strings("profiles");
        var known = new TreeSet<String>();
        placed.forEach(p -> known.addAll(p.section().strings("profiles")));
        for (Spot profile : group.items("profiles")) {
            if (!known.contains(profile.string())) {
                profile.warning("no container has the profile '" + profile.string() + "'", null);
            }
        }
        placed.removeIf(p -> {
            List<String> profiles = p.section().strings("profiles");
            return !profiles.isEmpty() && Collections.disjoint(profiles, active);
        });
    }

    /** Whoever takes over volumes of the persistent disk uses the disk, however indirectly. */
    private static ContainerSpec inheriting(ContainerSpec spec, Map<String, ContainerSpec> all) {
        if (spec.storage().volumesFrom().isEmpty()) {
            return spec;
        }
        return spec.with(spec.storage().inheriting(name -> disksOf(name, all, new HashSet<>())));
    }

    private static Set<String> disksOf(
            String name, Map<String, ContainerSpec> all, Set<String> seen) {
        ContainerSpec spec = all.get(name);
        var disks = new TreeSet<String>();
        if (spec != null && seen.add(name)) {
            disks.addAll(spec.persistentDisks());
            spec.storage()
                    .volumesFrom()
                    .forEach(v -> disks.addAll(disksOf(v.container(), all, seen)));
        }
        return disks;
    }

    /** Where the list of containers really stands, so that its lines are right. */
    private Section containerProperties(Section job) {
        for (Section at : List.of(job, group)) {
            if (at.has("properties")
                    && (at.equals(job) || at.section("properties").has("containers"))) {
                return at.section("properties");
            }
        }
        return root.section("properties");
    }

    private void checkDisks(Placed container) {
        Section section = container.section();
        Spot place =
                section.at(
                        Stream.of("volumes", "bind_volumes")
                                .filter(section::has)
                                .findFirst()
                                .orElse("volumes_from"));
        for (String disk : container.spec().persistentDisks()) {
            if (disk.isEmpty()) {
                checkManaged(container.spec(), place);
            } else {
                checkNamed(container.spec(), disk, place);
            }
        }
    }

    private void checkManaged(ContainerSpec spec, Spot place) {
        boolean disk =
                Stream.of("persistent_disk", "persistent_disk_type")
                        .anyMatch(
                                k -> group.has(k) && !Long.valueOf(0).equals(group.at(k).value()));
        if (!disk) {
            place.error(
                    "Container '%s' keeps data, but instance group '%s' has no persistent disk"
                            .formatted(spec.name(), name),
                    group.has("persistent_disks")
                            ? "say on which of its disks: /var/vcap/disks/NAME/FOLDER, or"
                                    + " x-berth.disk of a named volume"
                            : "give the group 'persistent_disk' (MiB) or 'persistent_disk_type'");
        }
    }

    private void checkNamed(ContainerSpec spec, String disk, Spot place) {
        List<Section> disks = group.sections("persistent_disks");
        List<String> names = disks.stream().map(d -> d.string("name")).toList();
        int at = names.indexOf(disk);
        if (at < 0) {
            place.error(
                    "Container '%s' keeps data on disk '%s', which instance group '%s' does not have"
                            .formatted(spec.name(), disk, name),
                    names.isEmpty()
                            ? "list it under 'persistent_disks'"
                            : "its 'persistent_disks' are: " + String.join(", ", names));
        } else if (disks.get(at).flag("raw", false)) {
            place.error(
                    "Container '%s' keeps data on disk '%s', which is raw and never mounted"
                            .formatted(spec.name(), disk),
                    "leave out 'raw', or give the container the device");
        }
    }
}

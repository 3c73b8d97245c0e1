package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.planner.Desired;
import dev.berth.planner.PlanOptions;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code resize_disk} task is about: {@code group}, {@code instance} (id or index; absent:
 * all of the group), {@code name} of the disk (absent: the only one), {@code size_mb}.
 */
record ResizeWish(Fields payload) {
    private static final int REFUSED = 100;

    /**
     * The disks with the size they are to have.
     *
     * @throws ProblemException there is no such group, instance or disk, or it cannot be resized
     *     now
     */
    Map<PlanOptions.DiskOf, Long> sizes(Store store, Desired desired) {
        String group = payload.string("group");
        Desired.Group wished =
                desired.groups().stream()
                        .filter(g -> g.name().equals(group))
                        .findFirst()
                        .orElseThrow(() ->
                                refused(
                                        "Instance group '" + group + "' is not in the manifest",
                                        null));
        String name = name(wished);
        var sizes = new LinkedHashMap<PlanOptions.DiskOf, Long>();
        for (Rows.Instance instance : store.read(s -> s.instances(desired.deployment()))) {
            if (instance.group().equals(group) && isMeant(instance)) {
                check(store, instance, name);
                sizes.put(new PlanOptions.DiskOf(instance.id(), name), payload.integer("size_mb"));
            }
        }
        if (sizes.isEmpty()) {
            throw refused(
                    "Instance group '"
                            + group
                            + "' has no instance '"
                            + payload.string("instance", "*")
                            + "'",
                    "see: berth instances");
        }
        return sizes;
    }

    private boolean isMeant(Rows.Instance instance) {
        String asked = payload.optionalString("instance");
        return asked == null
                || asked.equals(instance.id().value())
                || asked.equals(String.valueOf(instance.index()));
    }

    private String name(Desired.Group group) {
        List<String> names = group.disks().stream().map(Desired.DiskWish::name).toList();
        String asked = payload.optionalString("name");
        if (asked == null && names.size() == 1) {
            return names.getFirst();
        }
        if (asked != null && names.contains(asked)) {
            return asked;
        }
        throw refused(
                names.isEmpty()
                        ? "Instance group '" + group.name() + "' has no persistent disk"
                        : "Instance group '" + group.name() + "' has several disks",
                names.isEmpty() ? null : "--disk with one of: " + String.join(", ", names));
    }

    private static void check(Store store, Rows.Instance instance, String name) {
        String text = "Instance '" + instance.group() + "/" + instance.id() + "' ";
        if (instance.ignored()) {
            throw refused(text + "is ignored", "unignore it first");
        }
        if (!instance.state().equals("started")) {
            throw refused(
                    text + "is " + instance.state() + ", and disks change with their containers",
                    "start it first");
        }
        boolean there =
                store.read(s -> s.disks(instance.id())).stream()
                        .anyMatch(d -> d.active() && d.name().equals(name));
        if (!there) {
            throw refused(text + "has no disk '" + name + "' yet", "deploy first");
        }
    }

    private static ProblemException refused(String what, @Nullable String remedy) {
        return new ProblemException(List.of(new Problem(REFUSED, null, what, remedy)));
    }
}

package dev.berth.director;

import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The containers of an instance that a person stopped, one by one. Kept with the instance and told
 * to each of its VMs before anything starts there: an agent's memory ends with its VM, and a repair
 * must not undo what a person asked for (rule R7).
 */
final class HeldContainers {
    private static final String KEY = "held_containers";

    private HeldContainers() {}

    static List<String> of(Rows.Instance instance) {
        return instance.spec().get(KEY) instanceof List<?> names
                ? names.stream().map(String::valueOf).toList()
                : List.of();
    }

    static Rows.Instance with(Rows.Instance i, String container, boolean held) {
        var names = new TreeSet<>(of(i));
        if (held) {
            names.add(container);
        } else {
            names.remove(container);
        }
        var spec = new LinkedHashMap<>(i.spec());
        spec.put(KEY, new ArrayList<>(names));
        return i.ofSpec(spec);
    }

    /** What is written as applied now says nothing of them: they go along, if they still exist. */
    static void keep(Rows.Instance before, Map<String, Object> spec, List<String> names) {
        List<String> held = of(before).stream().filter(names::contains).toList();
        if (!held.isEmpty()) {
            spec.put(KEY, held);
        }
    }
}

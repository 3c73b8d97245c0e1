package dev.berth.supervisor;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is known of each persistent disk of the instance. Immutable.
 *
 * @param byName the disk at {@code store} has the name ""
 */
public record DiskStates(Map<String, DiskState> byName) {
    public DiskStates {
        byName = Map.copyOf(byName);
    }

    /** Of an instance whose only disk is the one at {@code store}. */
    public static DiskStates ofStore(DiskState state) {
        return new DiskStates(Map.of("", state));
    }

    /** A disk that nobody knows is not proven. */
    public DiskState of(String name) {
        DiskState known = byName.get(name);
        return known != null
                ? known
                : new DiskState.Unproven(
                        name.isEmpty()
                                ? "no persistent disk is mounted"
                                : "no persistent disk '" + name + "' is mounted");
    }

    public DiskState store() {
        return of("");
    }

    /** The same with another state of one disk. */
    public DiskStates with(String name, DiskState state) {
        var all = new LinkedHashMap<>(byName);
        all.put(name, state);
        return new DiskStates(all);
    }

    /** Why a user of these disks must not run; null: each of them is proven. */
    public @Nullable String unproven(Collection<String> needed) {
        for (String name : needed) {
            if (of(name) instanceof DiskState.Unproven bad) {
                return (name.isEmpty() ? "its disk" : "its disk '" + name + "'")
                        + " is not proven: "
                        + bad.reason();
            }
        }
        return null;
    }

    /** Whether a disk that was proven before is not any more. */
    boolean lostSince(DiskStates before) {
        return before.byName.entrySet().stream()
                .anyMatch(e ->
                        e.getValue() instanceof DiskState.Proven
                                && of(e.getKey()) instanceof DiskState.Unproven);
    }
}

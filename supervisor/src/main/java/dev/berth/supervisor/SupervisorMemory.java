package dev.berth.supervisor;

import java.util.Optional;

/**
 * Where a supervisor remembers across restarts of its process. A write must be whole or not at all
 * when the process dies; it need not survive the death of the VM, after which little of it holds.
 * Holds secrets: environments of containers are part of the wish.
 */
public interface SupervisorMemory {
    /** The text written last under this name; empty when there is none. */
    Optional<String> read(String part);

    void write(String part, String text);

    /** Forgets with the process. */
    static SupervisorMemory volatileOne() {
        var parts = new java.util.concurrent.ConcurrentHashMap<String, String>();
        return new SupervisorMemory() {
            @Override
            public Optional<String> read(String part) {
                return Optional.ofNullable(parts.get(part));
            }

            @Override
            public void write(String part, String text) {
                parts.put(part, text);
            }
        };
    }
}

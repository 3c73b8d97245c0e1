package dev.berth.model;

import java.util.List;
import java.util.Set;

/**
 * A network of an instance group.
 *
 * @param staticIps in the order given; empty: addresses are chosen
 * @param defaults what it is the default for: {@code dns}, {@code gateway}, {@code addressable}
 */
public record GroupNetwork(String name, List<IpAddress> staticIps, Set<String> defaults) {
    /** Sorted, as settings show them. */
    public List<String> sortedDefaults() {
        return defaults.stream().sorted().toList();
    }
}

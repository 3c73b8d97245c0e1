package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which images the spare VMs of a pool are to have: those of the instances whose VMs are like them.
 * Looks every few seconds only: it reads all instances. Thread-safe.
 */
final class PoolImages {
    /** More would fill the disk of a VM that may never run them. */
    private static final int MOST = 50;

    private static final Duration FRESH = Duration.ofSeconds(10);

    static final Wanted NONE = new Wanted("", List.of());

    /**
     * @param digest over what they are; empty: there are none
     */
    record Wanted(String digest, List<ContainerSpec> containers) {}

    private record Known(Instant at, List<PoolWish> pools, Map<String, Wanted> images) {}

    private final Clock clock;
    private volatile Known known = new Known(Instant.MIN, List.of(), Map.of());

    PoolImages(Clock clock) {
        this.clock = clock;
    }

    Map<String, Wanted> of(StoreSession session, List<PoolWish> pools) {
        Known last = known;
        if (last.pools().equals(pools) && clock.steady().isBefore(last.at().plus(FRESH))) {
            return last.images();
        }
        var images = new HashMap<String, Wanted>();
        if (pools.stream().anyMatch(p -> p.size() > 0)) {
            Map<InstanceId, Rows.Vm> vms =
                    session.vmsOf(null).stream()
                            .filter(Rows.Vm::active)
                            .collect(Collectors.toMap(Rows.Vm::instance, v -> v, (a, b) -> a));
            List<Rows.Instance> instances = session.instances(null);
            pools.forEach(pool -> images.put(pool.name(), of(pool, instances, vms)));
        }
        known = new Known(clock.steady(), pools, images);
        return images;
    }

    private static Wanted of(
            PoolWish pool, List<Rows.Instance> instances, Map<InstanceId, Rows.Vm> vms) {
        var images = new TreeMap<String, ContainerSpec>();
        for (Rows.Instance instance : instances) {
            Rows.Vm vm = vms.get(instance.id());
            if (vm != null && pool.serves(vm.shape(), instance.az())) {
                Fields.of(instance.spec(), "spec")
                        .objects("containers")
                        .forEach(container -> add(images, container));
            }
        }
        return images.isEmpty()
                ? NONE
                : new Wanted(
                        Digests.sha256(String.join("\n", images.keySet())).substring(0, 16),
                        List.copyOf(images.values()));
    }

    /** What is built in the VM is no image that could be fetched. */
    private static void add(Map<String, ContainerSpec> images, Fields container) {
        if (!container.has("image") || !container.has("image_digest") || images.size() >= MOST) {
            return;
        }
        String reference = container.string("image");
        String platform = container.optionalString("platform");
        String digest = container.string("image_digest");
        String key = ImagePins.keyOf(reference, platform);
        var unpinned =
                new ContainerImage(reference, null, null, platform, Pull.MISSING, null, null);
        images.computeIfAbsent(
                key + "@" + digest,
                name ->
                        ImagePins.pinned(
                                ContainerSpec.of("image-" + images.size(), unpinned),
                                Map.of(key, digest)));
    }
}

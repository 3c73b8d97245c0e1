package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.Problem;
import dev.berth.model.Subnet;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which az each wanted instance of a group gets, and which existing instance it is. Instances with
 * a disk stay where their disk is; nothing is rebalanced that need not move. Where their az leaves
 * the group they move with their disk, which BOSH would leave behind as an orphan.
 */
final class Placement {
    private static final Comparator<Recorded.Instance> BY_INDEX =
            Comparator.comparing((Recorded.Instance i) -> !i.ignored())
                    .thenComparing(Recorded.Instance::index)
                    .thenComparing(i -> i.id().value());

    /**
     * @param row null: a new instance
     * @param statics network name to the listed address it gets
     */
    record Slot(
            @Nullable String az, Recorded.@Nullable Instance row, Map<String, String> statics) {}

    /** Obsolete are those for which there is no slot. */
    record Result(List<Slot> slots, List<Recorded.Instance> obsolete) {}

    private final Desired.Group group;
    private final List<Recorded.Instance> rows;
    private final AddressBook book;
    private final boolean movesDisks;
    private final List<Problem> problems;
    private final List<Slot> slots = new ArrayList<>();
    private final Set<InstanceId> placed = new HashSet<>();
    private final Map<String, Integer> counts = new HashMap<>();

    private Placement(
            Desired.Group group,
            List<Recorded.Instance> rows,
            AddressBook book,
            boolean movesDisks,
            List<Problem> problems) {
        this.group = group;
        this.rows = rows.stream().sorted(BY_INDEX).toList();
        this.book = book;
        this.movesDisks = movesDisks;
        this.problems = problems;
    }

    static Result place(
            Desired.Group group,
            List<Recorded.Instance> rows,
            AddressBook book,
            boolean movesDisks,
            List<Problem> problems) {
        var placement = new Placement(group, rows, book, movesDisks, problems);
        if (placement.ignoredFit()) {
            if (group.networks().stream().anyMatch(Desired.NetworkUse::isStatic)) {
                placement.placeWithStatics();
            } else {
                placement.placeFreely();
            }
        }
        return new Result(
                placement.slots,
                placement.rows.stream().filter(r -> !placement.placed.contains(r.id())).toList());
    }

    private boolean ignoredFit() {
        List<Recorded.Instance> ignored = rows.stream().filter(Recorded.Instance::ignored).toList();
        if (ignored.size() > group.instances()) {
            return refuse(
                    190020,
                    "Instance Group '"
                            + group.name()
                            + "' has "
                            + ignored.size()
                            + " ignored instance(s). "
                            + group.instances()
                            + " instance(s) of that instance group were requested. Deleting"
                            + " ignored instances is not allowed.");
        }
        List<String> lost =
                ignored.stream().map(r -> key(r.az())).filter(az -> !zones().contains(az)).toList();
        return lost.isEmpty()
                || refuse(
                        190020,
                        "Instance Group '"
                                + group.name()
                                + "' no longer contains AZs "
                                + lost
                                + " where ignored instance(s) exist.");
    }

    // --- without static addresses

    private void placeFreely() {
        var unplaced = new HashMap<String, ArrayDeque<Recorded.Instance>>();
        zones().forEach(az -> unplaced.put(az, new ArrayDeque<>()));
        for (Recorded.Instance row : rows) {
            ArrayDeque<Recorded.Instance> zone = unplaced.get(key(row.az()));
            if (zone != null) {
                zone.add(row);
            }
        }
        List<String> order =
                zones().stream()
                        .sorted(
                                Comparator.comparing(az ->
                                        -unplaced.getOrDefault(az, new ArrayDeque<>()).size()))
                        .toList();
        for (Recorded.Instance row : rows) {
            // By the disk that is wished, not by the one there is: else the same manifest would
            // place differently once the disk came or went (R5).
            boolean stays = row.ignored() || !group.disks().isEmpty();
            if (stays && slots.size() < group.instances() && zones().contains(key(row.az()))) {
                put(key(row.az()), row, Map.of());
            }
        }
        unplaced.values().forEach(zone -> zone.removeIf(row -> placed.contains(row.id())));
        for (Recorded.Instance row : homeless()) {
            if (slots.size() < group.instances() && mayMove(row)) {
                put(zones().stream().min(fewest()).orElseThrow(), row, Map.of());
            }
        }
        while (slots.size() < group.instances()) {
            String az = emptiest(order, unplaced);
            put(az, unplaced.getOrDefault(az, new ArrayDeque<>()).poll(), Map.of());
        }
    }

    /** With data, and in no zone of the group any more. */
    private List<Recorded.Instance> homeless() {
        return rows.stream()
                .filter(row -> !group.disks().isEmpty() && !placed.contains(row.id()))
                .filter(row -> !zones().contains(key(row.az())))
                .toList();
    }

    private Comparator<String> fewest() {
        return Comparator.comparing(this::count).thenComparing(Comparator.naturalOrder());
    }

    private boolean mayMove(Recorded.Instance row) {
        return row.disks().isEmpty()
                || movesDisks
                || refuse(
                        100,
                        "Instance '"
                                + row.group()
                                + "/"
                                + row.id()
                                + "' has its disks in az '"
                                + key(row.az())
                                + "', which instance group '"
                                + group.name()
                                + "' no longer lists, and this cloud cannot attach a disk in"
                                + " another az",
                        "list the az again; to leave the data behind as orphans, first deploy"
                                + " fewer instances");
    }

    /** Fewest placed; then the first in order with an instance to reuse; then the smallest name. */
    private String emptiest(
            List<String> order, Map<String, ArrayDeque<Recorded.Instance>> unplaced) {
        int fewest = order.stream().mapToInt(this::count).min().orElseThrow();
        List<String> ties = order.stream().filter(az -> count(az) == fewest).toList();
        return ties.stream()
                .filter(az -> !unplaced.getOrDefault(az, new ArrayDeque<>()).isEmpty())
                .findFirst()
                .orElseGet(() -> ties.stream().sorted().findFirst().orElseThrow());
    }

    // --- with static addresses

    private void placeWithStatics() {
        var pools = new ArrayList<StaticPool>();
        for (Desired.NetworkUse use : group.networks()) {
            if (use.isStatic()) {
                StaticPool pool = pool(use);
                if (pool == null) {
                    return;
                }
                pools.add(pool);
            }
        }
        List<Recorded.Instance> homeless = homeless();
        for (Recorded.Instance row : rows) {
            if (!homeless.contains(row)
                    && pools.stream().anyMatch(pool -> pool.heldBy(row) != null)) {
                placeHolder(row, pools);
            }
        }
        for (Recorded.Instance row : rows) {
            if (slots.size() < group.instances()
                    && !placed.contains(row.id())
                    && pools.stream().allMatch(pool -> pool.has(key(row.az())))) {
                put(key(row.az()), row, claim(pools, key(row.az()), row));
            }
        }
        for (Recorded.Instance row : homeless()) {
            String az = zoneForNew(pools);
            if (az != null && slots.size() < group.instances() && mayMove(row)) {
                put(az, row, claim(pools, az, null));
            }
        }
        while (slots.size() < group.instances()) {
            String az = zoneForNew(pools);
            if (az == null) {
                refuse(
                        150002,
                        "Failed to evenly distribute static IPs between zones for instance group '"
                                + group.name()
                                + "'");
                return;
            }
            put(az, null, claim(pools, az, null));
        }
    }

    private void placeHolder(Recorded.Instance row, List<StaticPool> pools) {
        String az = key(row.az());
        for (StaticPool pool : pools) {
            String held = pool.heldBy(row);
            if (held != null && !pool.zonesOf(held).contains(az)) {
                refuse(
                        130010,
                        "Existing instance '"
                                + row.group()
                                + "/"
                                + row.index()
                                + "' is using IP '"
                                + held
                                + "' in availability zone '"
                                + az
                                + "'");
                return;
            }
        }
        if (slots.size() < group.instances() && pools.stream().allMatch(p -> p.canServe(row, az))) {
            put(az, row, claim(pools, az, row));
        }
    }

    private Map<String, String> claim(
            List<StaticPool> pools, String az, Recorded.@Nullable Instance row) {
        var statics = new LinkedHashMap<String, String>();
        pools.forEach(pool -> statics.put(pool.network, pool.take(row, az)));
        return statics;
    }

    private @Nullable String zoneForNew(List<StaticPool> pools) {
        return zones().stream()
                .filter(az -> pools.stream().allMatch(pool -> pool.has(az)))
                .min(Comparator.comparing(this::count))
                .orElse(null);
    }

    private @Nullable StaticPool pool(Desired.NetworkUse use) {
        var pool = new StaticPool(use.name());
        AddressBook.Network network = book.network(use.network());
        for (String address : use.staticIps()) {
            Subnet subnet = network.staticSubnet(address);
            if (subnet == null) {
                refuse(
                        150002,
                        "Instance group '"
                                + group.name()
                                + "' with network '"
                                + use.name()
                                + "' declares static ip '"
                                + address
                                + "', which belongs to no subnet");
                return null;
            }
            List<String> zones = zones().stream().filter(az -> subnet.serves(zone(az))).toList();
            if (zones.isEmpty()) {
                refuse(
                        150007,
                        "Instance group '"
                                + group.name()
                                + "' declares static ip '"
                                + address
                                + "' which does not belong to any of the instance group's"
                                + " availability zones.");
                return null;
            }
            pool.add(address, zones);
        }
        return pool;
    }

    /** The listed addresses of one network that nobody has claimed yet. */
    private static final class StaticPool {
        final String network;
        private final Map<String, List<String>> free = new LinkedHashMap<>();
        private final Map<String, ArrayDeque<String>> byZone = new HashMap<>();

        StaticPool(String network) {
            this.network = network;
        }

        void add(String address, List<String> zones) {
            free.put(address, zones);
            zones.forEach(az -> byZone.computeIfAbsent(az, z -> new ArrayDeque<>()).add(address));
        }

        List<String> zonesOf(String address) {
            return free.getOrDefault(address, List.of());
        }

        @Nullable String heldBy(Recorded.Instance row) {
            return row.addresses().values().stream()
                    .filter(free::containsKey)
                    .findFirst()
                    .orElse(null);
        }

        boolean canServe(Recorded.Instance row, String az) {
            return heldBy(row) != null || has(az);
        }

        boolean has(String az) {
            ArrayDeque<String> zone = byZone.getOrDefault(az, new ArrayDeque<>());
            while (!zone.isEmpty() && !free.containsKey(zone.peek())) {
                zone.poll(); // claimed through another az
            }
            return !zone.isEmpty();
        }

        String take(Recorded.@Nullable Instance row, String az) {
            String held = row == null ? null : heldBy(row);
            String address = held;
            if (address == null && has(az)) {
                address = byZone.getOrDefault(az, new ArrayDeque<>()).poll();
            }
            if (address == null) {
                throw new IllegalStateException("no static address left in " + network);
            }
            free.remove(address);
            return address;
        }
    }

    // --- both

    private void put(String az, Recorded.@Nullable Instance row, Map<String, String> statics) {
        slots.add(new Slot(zone(az), row, statics));
        counts.merge(az, 1, Integer::sum);
        if (row != null) {
            placed.add(row.id());
        }
    }

    private int count(String az) {
        return counts.getOrDefault(az, 0);
    }

    private List<String> zones() {
        return group.azs().isEmpty() ? List.of("") : group.azs();
    }

    private static String key(@Nullable String az) {
        return az == null ? "" : az;
    }

    private static @Nullable String zone(String key) {
        return key.isEmpty() ? null : key;
    }

    private boolean refuse(int code, String message) {
        return refuse(code, message, null);
    }

    private boolean refuse(int code, String message, @Nullable String remedy) {
        problems.add(new Problem(code, null, message, remedy));
        return false;
    }
}

package dev.berth.simulation;

import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.testkit.FakeCloud;
import dev.berth.testkit.FakeVm;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What must hold of an instance's disks with names when it is as wished. */
final class NamedDisks {
    private static final Map<String, Long> SIZES =
            Map.of(
                    "data",
                    1024L,
                    "data-grown",
                    2048L,
                    "logs",
                    512L,
                    "logs-fast",
                    512L,
                    "device",
                    256L);

    private NamedDisks() {}

    static void check(
            World world,
            StoreSession s,
            Wish.Group group,
            Rows.Instance instance,
            Ledgers.Check check) {
        List<Rows.Disk> own =
                s.disks(instance.id()).stream().filter(d -> !d.name().isEmpty()).toList();
        String text = instance.group() + "/" + instance.id();
        Map<String, String> wished = group.disks().named();
        Set<String> names = own.stream().map(Rows.Disk::name).collect(Collectors.toSet());
        check.that(
                "wish",
                own.size() == wished.size() && names.equals(new HashSet<>(wished.keySet())),
                text + " wishes disks " + wished + " and has " + own);
        for (Rows.Disk disk : own) {
            String type = wished.getOrDefault(disk.name(), "");
            long real = world.cloud.disk(disk.cid()).map(FakeCloud.Disk::sizeMb).orElse(0L);
            check.that(
                    "wish",
                    disk.active()
                            && disk.copyOf() == null
                            && disk.sizeMb() == SIZES.getOrDefault(type, 0L)
                            && real == disk.sizeMb(),
                    text + " wishes " + type + ", recorded " + disk + ", real " + real);
            if (!type.equals("device")) {
                check.that(
                        "wish",
                        world.agents
                                .content(disk.cid())
                                .filter(c -> c.supersededBy() == null)
                                .map(FakeVm.Content::fileSystemMb)
                                .filter(size -> size == real)
                                .isPresent(),
                        text + " has " + disk + ", holding " + world.agents.content(disk.cid()));
            }
        }
    }
}

package dev.berth.testkit;

import dev.berth.bus.AgentException;
import dev.berth.bus.AgentException.Kind;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.wire.DiskRefusal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The persistent disks of one {@link FakeVm}, as its agent has them: one live at each name's place,
 * and beside it perhaps one that is being filled.
 */
final class FakeDisks {
    /** What the data of every instance takes: a disk smaller than this cannot have it. */
    static final long USED_MB = 64;

    /** As the agent was told; on the VM's own disk. */
    private record Known(String name, boolean raw) {}

    private final VmCid vm;
    private final FakeCloud cloud;
    private final FakeVm.Contents contents;

    // On the VM's own disk.
    private final Map<DiskCid, Known> known = new LinkedHashMap<>();
    private final Map<String, DiskCid> places = new TreeMap<>();

    // In memory.
    private final Set<DiskCid> aside = new HashSet<>();

    FakeDisks(VmCid vm, FakeCloud cloud, FakeVm.Contents contents) {
        this.vm = vm;
        this.cloud = cloud;
        this.contents = contents;
    }

    /** The disk that is mounted at the place of that name. */
    @Nullable DiskCid mounted(String name) {
        DiskCid disk = places.get(name);
        return disk != null && !aside.contains(disk) && isMounted(disk) ? disk : null;
    }

    private boolean isMounted(DiskCid disk) {
        return cloud.disk(disk).filter(d -> vm.equals(d.mountedIn())).isPresent();
    }

    boolean hasAll(Set<String> names) {
        return names.stream().allMatch(name -> mounted(name) != null);
    }

    /** Which the agent has mounted and proven. */
    List<String> listed() {
        return places.keySet().stream()
                .map(this::mounted)
                .filter(disk -> disk != null && known.containsKey(disk))
                .map(String::valueOf)
                .toList();
    }

    List<String> listedWithAside() {
        var all = new ArrayList<>(listed());
        aside.forEach(disk -> all.add(disk.value()));
        return all;
    }

    /** What is shown is mounted again, but for what another has taken the place of. */
    void boot() {
        aside.clear();
        for (DiskCid disk : List.copyOf(places.values())) {
            if (isShown(disk) && supersededBy(disk) == null) {
                mountContent(disk);
            }
        }
    }

    Object add(DiskCid disk, Fields options) {
        known.put(disk, new Known(options.string("name", ""), options.flag("raw", false)));
        return Map.of();
    }

    Object remove(DiskCid disk) {
        known.remove(disk);
        return Map.of();
    }

    String name(DiskCid disk) {
        return require(disk).name();
    }

    private Known require(DiskCid disk) {
        Known one = known.get(disk);
        if (one == null) {
            throw failed("disk " + disk + " is not known");
        }
        return one;
    }

    /** False: it was mounted aside, where no container sees it. */
    boolean mount(DiskCid disk, boolean revive) {
        Known one = require(disk);
        if (one.raw()) {
            throw failed("disk " + disk + " is raw");
        }
        if (!isShown(disk)) {
            throw failed("device of disk " + disk + " did not appear within 30 s");
        }
        DiskCid there = mounted(one.name());
        if (there != null && !there.equals(disk)) {
            mountContent(disk);
            aside.add(disk);
            return false;
        }
        DiskCid by = supersededBy(disk);
        if (by != null && !revive) {
            throw new AgentException(
                    Kind.FAILED,
                    "disk " + disk + " must not be live",
                    new DiskRefusal(DiskRefusal.Reason.SUPERSEDED, by));
        }
        aside.remove(disk);
        mountContent(disk);
        if (revive) {
            content(disk).ifPresent(c -> contents.put(disk, c.supersededBy(null)));
        }
        places.put(one.name(), disk);
        return true;
    }

    private java.util.Optional<FakeVm.Content> content(DiskCid disk) {
        return contents.of(disk);
    }

    private @Nullable DiskCid supersededBy(DiskCid disk) {
        return content(disk).map(FakeVm.Content::supersededBy).orElse(null);
    }

    private void mountContent(DiskCid disk) {
        cloud.mount(vm, disk);
        FakeVm.Content content =
                content(disk)
                        .orElseGet(() -> new FakeVm.Content(disk, size(disk), new Ledger(), null));
        contents.put(disk, content.ofSize(size(disk)));
    }

    /** Empty where it holds what it should. */
    java.util.Optional<DiskCid> stranger(DiskCid disk) {
        return content(disk).map(FakeVm.Content::identity).filter(id -> !id.equals(disk));
    }

    Object unmount(DiskCid disk) {
        Known one = require(disk);
        if (isMounted(disk)) {
            cloud.unmount(vm, disk);
        }
        if (!aside.remove(disk)) {
            places.remove(one.name(), disk);
        }
        return Json.of("message", "Unmounted");
    }

    boolean isLive(DiskCid disk) {
        return known.containsKey(disk) && disk.equals(mounted(name(disk)));
    }

    Object grow(DiskCid disk) {
        require(disk);
        boolean mounted = isMounted(disk);
        if (mounted) {
            content(disk).ifPresent(c -> contents.put(disk, c.ofSize(size(disk))));
        }
        return Json.of("path", mounted ? "online" : "none", "size_mb", size(disk));
    }

    // --- copies

    Object copy(DiskCid from, DiskCid to) {
        checkPair(from, to);
        contents.put(to, filled(from, to));
        return Json.of("passes", 2L, "files", 1L, "bytes", USED_MB << 20, "left_bytes", 0L);
    }

    private void checkPair(DiskCid from, DiskCid to) {
        if (!isLive(from) || !aside.contains(to) || !name(from).equals(name(to))) {
            throw failed("disk " + from + " cannot be copied to " + to + ": " + report());
        }
        if (size(to) < USED_MB) {
            throw failed(USED_MB + " MB are used, and disk " + to + " has " + size(to) + " MB");
        }
    }

    private FakeVm.Content filled(DiskCid from, DiskCid to) {
        return new FakeVm.Content(
                to,
                size(to),
                content(from).map(c -> c.ledger().copy()).orElseGet(Ledger::new),
                null);
    }

    /** False: it has happened before. */
    boolean mustMigrate(DiskCid from, DiskCid to) {
        if (isLive(to) && to.equals(supersededBy(from))) {
            return false;
        }
        checkPair(from, to);
        return true;
    }

    /** Nothing writes to it now. */
    void migrate(DiskCid from, DiskCid to) {
        contents.put(to, filled(from, to));
        content(from).ifPresent(c -> contents.put(from, c.supersededBy(to)));
        cloud.unmount(vm, from);
        aside.remove(to);
        places.put(name(to), to);
    }

    Map<String, Object> report() {
        var disks = new ArrayList<Map<String, Object>>();
        for (Map.Entry<DiskCid, Known> entry : known.entrySet()) {
            DiskCid disk = entry.getKey();
            String name = entry.getValue().name();
            String where =
                    aside.contains(disk)
                            ? "aside"
                            : !isLive(disk) ? null : name.isEmpty() ? "store" : "named";
            DiskCid by = isMounted(disk) ? supersededBy(disk) : null; // who cannot see cannot say
            disks.add(
                    Json.of(
                            "cid",
                            disk.value(),
                            "name",
                            name,
                            "mounted",
                            where,
                            "proof",
                            where == null ? "none" : "proven",
                            "superseded_by",
                            by == null ? null : by.value(),
                            "size_mb",
                            size(disk)));
        }
        return Json.of("disks", disks);
    }

    private boolean isShown(DiskCid disk) {
        return cloud.disk(disk).filter(d -> vm.equals(d.attachedTo())).isPresent();
    }

    private long size(DiskCid disk) {
        return cloud.disk(disk).map(FakeCloud.Disk::sizeMb).orElse(0L);
    }

    private static AgentException failed(String why) {
        return new AgentException(Kind.FAILED, why);
    }
}

package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which of two copies of a disk is the live one. While a copy takes the place of its original, it
 * is written on the disks themselves; the records follow, and after a crash may be behind.
 * Thread-safe.
 */
final class LiveDisks {
    private static final Duration QUESTION = Duration.ofSeconds(10);

    private final Hands hands;

    LiveDisks(Hands hands) {
        this.hands = hands;
    }

    /** What an agent says of one disk. */
    record Report(boolean mounted, @Nullable DiskCid supersededBy) {}

    /**
     * Puts the records of a deployment right where an agent can tell; where none can, the mount of
     * the disk will show.
     */
    void settle(String deployment, @Nullable Set<InstanceId> only, TaskLog log) {
        for (Rows.Disk target : hands.store().read(s -> s.disksOf(deployment))) {
            InstanceId instance = target.instance();
            if (!target.active()
                    && target.copyOf() != null
                    && instance != null
                    && (only == null || only.contains(instance))) {
                settle(target, log);
            }
        }
    }

    private void settle(Rows.Disk target, TaskLog log) {
        DiskCid original = Objects.requireNonNull(target.copyOf());
        Optional<Rows.Vm> vm =
                hands.store().read(s -> s.activeVm(Objects.requireNonNull(target.instance())));
        if (vm.isEmpty()) {
            return;
        }
        try {
            if (isSuperseded(vm.get(), original, target.cid(), QUESTION)) {
                hands.store().update(s -> takesThePlaceOf(s, target.cid(), original));
                log.warning(took(target.cid(), original));
            }
        } catch (AgentException e) {
            log.debug(
                    "disk=" + target.cid() + " nobody can tell yet what it is: " + e.getMessage());
        }
    }

    static String took(DiskCid target, DiskCid original) {
        return "disk "
                + target
                + " had taken the place of "
                + original
                + " before the director knew; it is recorded now";
    }

    /** Written on the original, or to be seen from where the other is mounted. */
    boolean isSuperseded(Rows.Vm vm, DiskCid original, DiskCid by, Duration limit) {
        return by.equals(report(vm, original, limit).supersededBy())
                || report(vm, by, limit).mounted();
    }

    /**
     * @throws AgentException the agent did not answer
     */
    Report report(Rows.Vm vm, DiskCid disk, Duration limit) {
        Object answer;
        try {
            answer = hands.agents().call(vm.agent(), "disk_report", List.of(), limit);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.UNKNOWN_METHOD) {
                // Such an agent never put one disk in the place of another.
                return new Report(isListed(vm, disk, limit), null);
            }
            throw e;
        }
        for (Fields one : Fields.of(answer, "disk report").objects("disks")) {
            if (one.string("cid", "").equals(disk.value())) {
                String mounted = one.string("mounted", "");
                String by = one.string("superseded_by", "");
                return new Report(
                        mounted.equals("store") || mounted.equals("named"),
                        by.isEmpty() ? null : new DiskCid(by));
            }
        }
        return new Report(false, null);
    }

    private boolean isListed(Rows.Vm vm, DiskCid disk, Duration limit) {
        Object listed = hands.agents().call(vm.agent(), "list_disk", List.of(), limit);
        return listed instanceof List<?> && Json.asList(listed).contains(disk.value());
    }

    /** Both rows change at once: at no time are two live, or none. */
    static void takesThePlaceOf(StoreSession session, DiskCid target, DiskCid original) {
        session.disk(original).ifPresent(d -> session.saveDisk(d.former()));
        session.disk(target).ifPresent(d -> session.saveDisk(d.live()));
    }
}

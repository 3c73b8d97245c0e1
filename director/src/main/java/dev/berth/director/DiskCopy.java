package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.planner.Desired;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries out {@link Step.CopyDisk} for one instance: a new disk is made and attached beside the
 * live one, filled while containers run, and takes its place in the moment in which they stop. Each
 * time it is begun by looking at what is there, so that it goes on after a crash anywhere. Until
 * the agent has written on the old disk which one follows it, the old one is live; from then on the
 * new one; and the records follow in one transaction.
 */
final class DiskCopy {
    /** An end for what a broken agent would let run for ever; terabytes take hours. */
    private static final Duration LONGEST = Duration.ofDays(7);

    private static final Duration BETWEEN_WORDS = Duration.ofSeconds(2);

    private final InstanceContext on;
    private final Hands hands;
    private final DiskActs disks;
    private final LiveDisks lives;
    private final Consumer<String> progress;

    /**
     * @param progress is told how far it is, in words for the operator
     */
    DiskCopy(InstanceContext on, DiskActs disks, Consumer<String> progress) {
        this.on = on;
        this.hands = on.hands();
        this.disks = disks;
        this.lives = new LiveDisks(hands);
        this.progress = progress;
    }

    /**
     * @return what the agent said of the moment in which the new disk took over; null: there was
     *     nothing to copy
     */
    @Nullable Fields run(Desired.DiskWish to) {
        Rows.Disk live = on.disk(to.name());
        boolean done = DiskRecords.isAsWished(live, to);
        Rows.Disk target = null;
        for (Rows.Disk left : on.leftOver(to.name())) {
            if (!done && live.cid().equals(left.copyOf()) && DiskRecords.isAsWished(left, to)) {
                target = left;
            } else {
                letGo(live, left);
            }
        }
        return done ? null : copied(live, to, target);
    }

    private Fields copied(Rows.Disk live, Desired.DiskWish to, Rows.@Nullable Disk begun) {
        DiskCid target =
                begun == null
                        ? on.told("create", "disk", () -> disks.createDisk(to, live.cid()))
                        : begun.cid();
        try {
            disks.attachDisk(on.disk(target));
            disks.mountDisk(target);
            fill(live.cid(), target);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.FAILED) {
                rolledBack(live, target);
            }
            throw e;
        }
        Fields moved = migrate(live, target);
        letGo(on.disk(target), on.disk(live.cid()));
        return moved;
    }

    /** While containers run; it may be begun again after any interruption. */
    private void fill(DiskCid from, DiskCid to) {
        IntentId intent = on.begin("copy disk", pair(from, to), s -> {});
        var words = new Words();
        Object answer;
        try {
            answer =
                    on.call(
                            on.vm(),
                            "copy_disk",
                            List.of(from.value(), to.value()),
                            LONGEST,
                            words::tell);
        } catch (AgentException e) {
            endUnlessOpen(intent, e);
            throw e;
        }
        on.end(intent, Journal.DONE, s -> {});
        on.task().log().debug("disk=" + from + " copied to " + to + ": " + Json.write(answer));
    }

    private static Map<String, Object> pair(DiskCid from, DiskCid to) {
        return Json.of("from", from.value(), "to", to.value());
    }

    private void endUnlessOpen(IntentId intent, AgentException e) {
        if (e.kind() != AgentException.Kind.TIMEOUT) {
            on.end(intent, "failed: " + e.getMessage(), s -> {});
        }
    }

    /** The one moment in which containers that use the disk stop. */
    private Fields migrate(Rows.Disk live, DiskCid target) {
        progress.accept("disk " + target + " takes the place of " + live.cid());
        IntentId intent = on.begin("migrate disk", pair(live.cid(), target), s -> {});
        Object answer;
        try {
            answer =
                    on.call(
                            on.vm(),
                            "migrate_disk",
                            List.of(live.cid().value(), target.value()),
                            LONGEST,
                            new Words()::tell);
        } catch (AgentException e) {
            endUnlessOpen(intent, e);
            if (e.kind() == AgentException.Kind.FAILED) {
                failed(live, target);
            }
            throw e;
        }
        on.end(intent, Journal.DONE, s -> LiveDisks.takesThePlaceOf(s, target, live.cid()));
        on.task().log().debug("disk=" + live.cid() + " replaced: " + Json.write(answer));
        return Fields.of(answer instanceof Map<?, ?> ? answer : Map.of(), "migrate_disk");
    }

    /** Which of the two is live is asked, not supposed. */
    private void failed(Rows.Disk live, DiskCid target) {
        LiveDisks.Report report = lives.report(on.vm(), live.cid(), hands.patience().agentCall());
        if (target.equals(report.supersededBy())) {
            hands.store().update(s -> LiveDisks.takesThePlaceOf(s, target, live.cid()));
            throw new RecordsCorrected(LiveDisks.took(target, live.cid()));
        }
        if (report.mounted()) {
            rolledBack(live, target);
        }
    }

    private void correctIfTaken(Rows.Disk live, DiskCid by) {
        if (lives.isSuperseded(on.vm(), live.cid(), by, hands.patience().agentCall())) {
            hands.store().update(s -> LiveDisks.takesThePlaceOf(s, by, live.cid()));
            throw new RecordsCorrected(LiveDisks.took(by, live.cid()));
        }
    }

    private void rolledBack(Rows.Disk live, DiskCid target) {
        try {
            letGo(live, on.disk(target));
        } catch (AgentException e) {
            on.task().log().debug("disk=" + target + " is left to the next plan", e);
        }
    }

    /**
     * A disk that is not the live one becomes an orphan, once it is sure that the other is.
     *
     * @throws RecordsCorrected it was the live one, and is recorded as such now
     */
    private void letGo(Rows.Disk live, Rows.Disk other) {
        Rows.Vm vm = on.vm();
        correctIfTaken(live, other.cid());
        if (!lives.report(vm, live.cid(), hands.patience().agentCall()).mounted()) {
            throw new AgentException(
                    AgentException.Kind.FAILED,
                    on.plan().name()
                            + ": disk "
                            + live.cid()
                            + " is not mounted, so that it cannot be told whether "
                            + other.cid()
                            + " is still needed");
        }
        if (other.attachedTo() != null) {
            if (other.attachedTo().equals(vm.cid())) {
                disks.unmountDisk(other.cid());
            }
            disks.detachDisk(other.attachedTo(), other.cid());
        }
        on.told(
                "orphan",
                "disk",
                () -> {
                    disks.orphanDisk(other.cid());
                    return other.cid();
                });
    }

    /** Turns the agent's numbers into words, now and then. */
    private final class Words {
        private Instant next = Instant.MIN;

        void tell(Map<String, Object> said) {
            Instant now = hands.clock().now();
            Fields numbers = Fields.of(said, "progress");
            long bytes = numbers.integer("bytes", 0);
            if (now.isBefore(next) || bytes == 0) {
                return; // from nothing nothing can be estimated
            }
            next = now.plus(BETWEEN_WORDS);
            long seconds = numbers.integer("seconds_left", -1);
            progress.accept(
                    "copying disk: "
                            + mb(bytes)
                            + " of "
                            + mb(numbers.integer("total", 0))
                            + " MB"
                            + (seconds < 0 ? "" : ", about " + seconds + " s left"));
        }

        private static long mb(long bytes) {
            return bytes >> 20;
        }
    }
}

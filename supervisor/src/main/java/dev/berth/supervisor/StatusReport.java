package dev.berth.supervisor;

import dev.berth.supervisor.Wish.Wished;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes the status out of what a {@link Reconciler} knows. Pure. */
final class StatusReport {
    private final Reconciler reconciler;
    private final Map<String, String> lastLogs;
    private final DaemonState daemon;

    StatusReport(Reconciler reconciler, Map<String, String> lastLogs, DaemonState daemon) {
        this.reconciler = reconciler;
        this.lastLogs = lastLogs;
        this.daemon = daemon;
    }

    SupervisorStatus make() {
        Map<String, List<Observed>> seen = new TreeMap<>();
        for (Observed o : reconciler.seen()) {
            seen.computeIfAbsent(o.name(), x -> new ArrayList<>()).add(o);
        }
        List<ContainerStatus> containers = new ArrayList<>();
        Wish wish = reconciler.wish();
        if (wish != null) {
            for (Wished w : wish.containers().values()) {
                containers.add(container(w.name(), w, seen.remove(w.name())));
            }
        }
        seen.forEach((name, all) -> containers.add(container(name, null, all)));
        return new SupervisorStatus(jobState(wish), daemon, reconciler.disks(), containers);
    }

    /** Every wished container is up or done by its present spec. */
    boolean isRunning() {
        return jobState(reconciler.wish()).equals("running");
    }

    private ContainerStatus container(
            String name, @Nullable Wished w, @Nullable List<Observed> all) {
        Memo m = reconciler.memos().getOrDefault(name, new Memo());
        Observed o =
                Cast.of(
                                all == null ? List.of() : all,
                                one -> w != null && m.digestOf(one).equals(w.digest()),
                                m.runningId)
                        .current();
        Observed running = o != null && o.running() ? o : null;
        LastExit exit = m.lastExit;
        Instant next = later(m.nextTry, m.aheadNextTry);
        boolean waits = m.state == ContainerState.BACKOFF || m.state == ContainerState.BLOCKED;
        return new ContainerStatus(
                name,
                reference(w),
                w == null ? null : w.spec().image().digest(),
                m.state.wireName(),
                running == null ? "" : running.health().name().toLowerCase(Locale.ROOT),
                o == null ? "" : m.digestOf(o),
                o == null ? null : o.id(),
                running == null ? 0 : millis(m.startedAt),
                m.restarts,
                m.failures,
                exit == null ? null : exit.code(),
                exit != null && exit.oom(),
                exit == null ? 0 : exit.at().toEpochMilli(),
                lastLogs.getOrDefault(name, ""),
                reason(m),
                m.cause,
                waits ? millis(next) : 0);
    }

    private static String reference(@Nullable Wished w) {
        String reference = w == null ? null : w.spec().image().reference();
        return reference == null ? "" : reference;
    }

    private String reason(Memo m) {
        if (!daemon.operating() && reconciler.wish() != null) {
            String words = "the docker daemon is " + daemon.name().toLowerCase(Locale.ROOT);
            return m.reason.isEmpty() ? words : m.reason + "; " + words;
        }
        // An old container runs on while the image of its new spec cannot be had.
        if (m.reason.isEmpty() && m.aheadNextTry != null) {
            return m.aheadReason;
        }
        return m.reason.isEmpty() && m.runningId != null ? m.note : m.reason;
    }

    private static @Nullable Instant later(@Nullable Instant a, @Nullable Instant b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.isAfter(b) ? a : b;
    }

    private static long millis(@Nullable Instant at) {
        return at == null ? 0 : at.toEpochMilli();
    }

    private String jobState(@Nullable Wish wish) {
        if (wish == null) {
            return reconciler.seen().isEmpty() ? "running" : "unknown";
        }
        if (!reconciler.listed() && !reconciler.everListed()) {
            return "unknown";
        }
        if (!wish.running()) {
            return reconciler.stillRunning().isEmpty() ? "stopped" : "running";
        }
        boolean all = true;
        for (Wished w : wish.containers().values()) {
            Memo m = reconciler.memos().getOrDefault(w.name(), new Memo());
            if (failing(m)) {
                return "failing";
            }
            all &= arrived(w, m) || m.held || waitsForHeld(wish, w.name());
        }
        return all ? "running" : "starting";
    }

    /** As wished by its present spec: an old container that is still up is on the way only. */
    private boolean arrived(Wished w, Memo m) {
        return switch (m.state) {
            case UP ->
                    reconciler.seen().stream()
                            .anyMatch(o ->
                                    o.running()
                                            && o.name().equals(w.name())
                                            && m.digestOf(o).equals(w.digest()));
            case DONE -> w.digest().equals(m.doneDigest);
            case WAITING,
                    PREPARING,
                    CREATING,
                    STARTING,
                    UNREADY,
                    STOPPING,
                    BACKOFF,
                    BLOCKED,
                    STOPPED,
                    GONE ->
                    false;
        };
    }

    /** What a person stopped takes its dependents along: they are as they should be, too. */
    private boolean waitsForHeld(Wish wish, String name) {
        return reconciler.memos().getOrDefault(name, new Memo()).state == ContainerState.WAITING
                && wish.graph().needs(name).stream()
                        .anyMatch(edge ->
                                reconciler.memos().getOrDefault(edge.to(), new Memo()).held
                                        || waitsForHeld(wish, edge.to()));
    }

    private static boolean failing(Memo m) {
        return switch (m.state) {
            case BLOCKED, UNREADY -> true;
            case BACKOFF -> m.failures >= 2 || m.aheadFailures >= 1;
            case STOPPED -> m.spent;
            case WAITING, PREPARING, CREATING, STARTING, UP, STOPPING, DONE, GONE ->
                    m.aheadFailures >= 1;
        };
    }
}

package dev.berth.supervisor;

import dev.berth.supervisor.Observed.Health;
import dev.berth.supervisor.Observed.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Holds what a supervisor knows between two decisions and folds in what it hears: lists, events,
 * outcomes, the states of disk and daemon. No I/O and no clock, so that tests drive it through any
 * order of arrivals. Not thread-safe: its owner holds a lock.
 *
 * <p>News about one container come from three sources that overtake each other. The rules: while a
 * step on a container is under way nothing is concluded about it; a list counts for a container
 * only if it was asked for after the container's last step ended; and for two seconds an event or
 * an answer that tells of an end beats a list that still shows it running, since the engine updates
 * its list last.
 */
final class Reconciler {
    private static final Duration LIST_LAG = Duration.ofSeconds(2);

    private static final int MANY_IMAGES = 256;

    private final SupervisorCore core;
    private @Nullable Wish wish;
    private Map<String, Memo> memos = new TreeMap<>();

    /** What is seen, by container id. */
    private final Map<String, Row> rows = new HashMap<>();

    private final Map<String, Step> busy = new HashMap<>();

    /** Steps of unknown outcome, until a list that was asked for later than this number. */
    private final Map<String, Long> unsettled = new HashMap<>();

    private final Map<String, Long> stepEnded = new HashMap<>();
    private final Set<String> busyImages = new HashSet<>();
    private final Set<String> images = new HashSet<>();
    private DiskStates disks =
            DiskStates.ofStore(new DiskState.Unproven("it has not been looked at yet"));
    private boolean daemonUp;
    private boolean listed;
    private boolean everListed;
    private boolean listWanted = true;
    private long sequence;

    /** An observation with the time at which something better than a list told its end. */
    private record Row(Observed observed, Instant endTold) {}

    Reconciler(RandomGenerator random) {
        this.core = new SupervisorCore(random);
    }

    // --- what is wished and remembered

    void wish(@Nullable Wish newWish) {
        wish = newWish;
        if (images.size() > MANY_IMAGES) {
            images.clear(); // asked for anew when needed
        }
    }

    @Nullable Wish wish() {
        return wish;
    }

    void remember(Map<String, Memo> remembered) {
        memos = new TreeMap<>(remembered);
    }

    Map<String, Memo> memos() {
        return memos;
    }

    void operatorRestart(String name) {
        Memo m = known(name);
        m.restartAsked = true;
        m.held = false;
        m.forgive();
    }

    void operatorStop(String name) {
        known(name).held = true;
    }

    void operatorStart(String name) {
        Memo m = known(name);
        m.held = false;
        m.forgive();
    }

    private Memo known(String name) {
        Wish present = wish;
        if (present == null || !present.containers().containsKey(name)) {
            throw new IllegalArgumentException("no container is named '" + name + "' here");
        }
        return memos.computeIfAbsent(name, x -> new Memo());
    }

    // --- what is heard

    /** A disk that is proven again is worth an attempt at once. */
    void disks(DiskStates states) {
        disks = states;
    }

    DiskStates disks() {
        return disks;
    }

    /** After any absence of the daemon nothing is decided before a new list. */
    void daemon(boolean up) {
        if (up && !daemonUp) {
            listed = false;
            listWanted = true;
        }
        daemonUp = up;
    }

    boolean daemonUp() {
        return daemonUp;
    }

    boolean listed() {
        return listed;
    }

    boolean everListed() {
        return everListed;
    }

    /** Whether a list is asked for sooner than the period would have it. */
    boolean listWanted() {
        return listWanted;
    }

    void wantList() {
        listWanted = true;
    }

    /** To be called right before a list is asked for; the number goes into {@link #listed}. */
    long listBegins() {
        listWanted = false;
        return ++sequence;
    }

    void listed(long number, List<Observed> list, Instant now) {
        var seen = new HashSet<String>();
        for (Observed o : list) {
            seen.add(o.id());
            if (settled(o.name(), number)) {
                take(o, now);
            }
        }
        rows.values()
                .removeIf(row ->
                        !seen.contains(row.observed().id())
                                && settled(row.observed().name(), number));
        unsettled
                .entrySet()
                .removeIf(entry -> {
                    boolean old = entry.getValue() < number;
                    if (old) {
                        busy.remove(entry.getKey());
                    }
                    return old;
                });
        stepEnded.keySet().retainAll(memos.keySet());
        listed = true;
        everListed = true;
    }

    /** Whether a list of this number was asked for after the last step on the container ended. */
    private boolean settled(String name, long number) {
        Long unknownSince = unsettled.get(name);
        if (unknownSince != null) {
            return unknownSince < number;
        }
        return !busy.containsKey(name) && stepEnded.getOrDefault(name, 0L) < number;
    }

    private void take(Observed o, Instant now) {
        Row before = rows.get(o.id());
        if (before == null) {
            rows.put(o.id(), new Row(o, Instant.MIN));
            return;
        }
        Observed known = before.observed();
        if (o.running()) {
            boolean lags = !known.running() && now.isBefore(plusLag(before.endTold()));
            if (lags) {
                listWanted = true;
            } else {
                // No list knows of the memory, and one comes between the kernel's kill and the end.
                Observed seen = o.startedSometime(known.startedAt());
                boolean oom = known.running() && known.oom();
                rows.put(o.id(), new Row(oom ? seen.outOfMemory() : seen, Instant.MIN));
            }
        } else {
            // Of an exited container the list forgets the health and never knew of the memory.
            Observed merged = o.with(o.phase(), known.health());
            rows.put(
                    o.id(), new Row(known.oom() ? merged.outOfMemory() : merged, before.endTold()));
        }
    }

    private static Instant plusLag(Instant at) {
        return at.equals(Instant.MIN) ? at : at.plus(LIST_LAG);
    }

    /** Details of one container that a list does not hold. */
    void inspected(String id, @Nullable Instant startedAt, boolean oom) {
        Row row = rows.get(id);
        if (row != null) {
            Observed o = row.observed().startedSometime(startedAt);
            rows.put(id, new Row(oom ? o.outOfMemory() : o, row.endTold()));
        }
    }

    void event(EngineEvent event, Instant now) {
        listWanted = true;
        Row row = rows.get(event.id());
        if (row == null) {
            return;
        }
        Observed o = row.observed();
        switch (event.action()) {
            case "die" -> died(row, event, now);
            case "oom" -> rows.put(o.id(), new Row(o.outOfMemory(), row.endTold()));
            case "start" -> {
                if (event.at().isAfter(row.endTold())) {
                    Observed started = o.started(event.at());
                    rows.put(o.id(), new Row(keepHealth(o, started), Instant.MIN));
                }
            }
            case "destroy" -> rows.remove(o.id());
            case "pause" ->
                    rows.put(o.id(), new Row(o.with(Phase.PAUSED, o.health()), Instant.MIN));
            case "unpause" ->
                    rows.put(o.id(), new Row(o.with(Phase.RUNNING, o.health()), Instant.MIN));
            case "health_status: healthy" -> health(row, Health.HEALTHY);
            case "health_status: unhealthy" -> health(row, Health.UNHEALTHY);
            default -> {} // a look is coming anyway
        }
    }

    private void died(Row row, EngineEvent event, Instant now) {
        Observed o = row.observed();
        Memo m = memos.get(o.name());
        Instant lastStart = m == null ? null : m.lastStart;
        if (lastStart != null && !event.at().isAfter(lastStart)) {
            return; // the end of an earlier life, told late
        }
        rows.put(o.id(), new Row(o.exited(event.exitCode()), now));
    }

    private void health(Row row, Health health) {
        if (row.observed().running()) {
            Observed o = row.observed();
            rows.put(o.id(), new Row(o.with(o.phase(), health), row.endTold()));
        }
    }

    /**
     * A container without a health check stays without one: no need to wait for a list to say so.
     */
    private static Observed keepHealth(Observed before, Observed started) {
        return before.health() == Health.NONE ? started.with(Phase.RUNNING, Health.NONE) : started;
    }

    // --- decisions

    /** Decides, and counts the steps of the decision as under way. */
    Decision turn(Instant now) {
        Decision decision =
                core.decide(
                        new Situation(
                                wish,
                                memos,
                                observed(),
                                busy,
                                busyImages,
                                images,
                                disks,
                                daemonUp && listed,
                                now));
        memos = new TreeMap<>(decision.memos());
        decision.steps().forEach(this::begin);
        return decision;
    }

    private void begin(Step step) {
        switch (step) {
            case Step.PullImage s -> busyImages.add(s.image());
            case Step.BuildImage s -> busyImages.add(s.image());
            case Step.StartContainer s -> {
                busy.put(step.container(), step);
                Row row = rows.get(s.id());
                if (row != null) { // what is told from here on is about the new life
                    rows.put(s.id(), new Row(row.observed(), Instant.MIN));
                }
            }
            case Step.CreateContainer _,
                    Step.UpdateContainer _,
                    Step.StopContainer _,
                    Step.RemoveContainer _ ->
                    busy.put(step.container(), step);
        }
    }

    /** A step has ended. */
    void outcome(Step step, Outcome outcome, Instant now) {
        listWanted = true;
        Wish present = wish;
        if (present != null) {
            memos = core.settle(memos, present, step, outcome, now);
        }
        if (outcome instanceof Outcome.Unknown && !step.isImage()) {
            unsettled.put(step.container(), sequence);
            return;
        }
        busy.remove(step.container(), step);
        stepEnded.put(step.container(), sequence);
        switch (step) {
            case Step.PullImage s -> imageEnded(s.image(), outcome);
            case Step.BuildImage s -> imageEnded(s.image(), outcome);
            case Step.CreateContainer s -> created(s, outcome);
            case Step.UpdateContainer _ -> {}
            case Step.StartContainer s -> started(s, outcome, now);
            case Step.StopContainer s -> stopped(s, outcome, now);
            case Step.RemoveContainer s -> {
                if (outcome instanceof Outcome.Done) {
                    rows.remove(s.id());
                }
            }
        }
    }

    void imageIsHere(String image) {
        images.add(image);
    }

    private void imageEnded(String image, Outcome outcome) {
        busyImages.remove(image);
        if (outcome instanceof Outcome.Done) {
            images.add(image);
        }
    }

    private void created(Step.CreateContainer step, Outcome outcome) {
        if (outcome instanceof Outcome.Created made) {
            var o =
                    new Observed(
                            step.container(),
                            step.engineName(),
                            made.id(),
                            step.digest(),
                            step.spec().fixedDigest(),
                            Phase.CREATED,
                            made.checked() ? Health.UNKNOWN : Health.NONE,
                            null,
                            false,
                            null,
                            Set.of());
            rows.put(made.id(), new Row(o, Instant.MIN));
        } else if (outcome instanceof Outcome.Failed failed && failed.imageMissing()) {
            images.remove(Images.nameOf(step.spec()));
        }
    }

    private void started(Step.StartContainer step, Outcome outcome, Instant now) {
        Row row = rows.get(step.id());
        if (!(outcome instanceof Outcome.Done) || row == null) {
            return;
        }
        takesName(row.observed());
        Observed named = row.observed().named(step.container());
        boolean diedSince = !row.endTold().equals(Instant.MIN);
        boolean runs = !diedSince && !named.running();
        rows.put(
                step.id(),
                runs
                        ? new Row(keepHealth(named, named.started(now)), Instant.MIN)
                        : new Row(named, row.endTold()));
    }

    /** Whoever held the engine's name has another by now; a list tells which. */
    private void takesName(Observed started) {
        for (Row other : List.copyOf(rows.values())) {
            Observed o = other.observed();
            if (o.engineName().equals(started.name()) && !o.id().equals(started.id())) {
                rows.put(o.id(), new Row(o.named(o.name() + "." + o.id()), other.endTold()));
            }
        }
    }

    private void stopped(Step.StopContainer step, Outcome outcome, Instant now) {
        Row row = rows.get(step.id());
        if (outcome instanceof Outcome.Done && row != null && row.observed().running()) {
            rows.put(step.id(), new Row(row.observed().exited(null), now));
        }
    }

    /** All of our containers that are known of. */
    Collection<Observed> seen() {
        return observed();
    }

    /** Our containers that run, wished or not. */
    List<String> stillRunning() {
        return observed().stream().filter(Observed::running).map(Observed::name).toList();
    }

    boolean idle() {
        return busy.isEmpty() && busyImages.isEmpty();
    }

    private List<Observed> observed() {
        return rows.values().stream().map(Row::observed).toList();
    }
}

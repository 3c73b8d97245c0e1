package dev.berth.supervisor;

import dev.berth.supervisor.Graph.Edge;
import dev.berth.supervisor.Wish.Wished;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The scratch of one decision: the situation sorted by name, copies of the memos to write on, and
 * what has been concluded so far. Lives for one call of {@link SupervisorCore#decide}.
 */
final class Turn {
    private static final Duration LEAST_STAND = Duration.ofSeconds(1);
    private static final Duration MOST_STAND = Duration.ofSeconds(10);

    final Situation situation;
    final Wish wish;
    final Graph graph;
    final Instant now;
    final RandomGenerator random;
    final Map<String, Memo> memos = new TreeMap<>();

    /** Who stands for each wished name, and who else there is of it. */
    private final Map<String, Cast> casts = new HashMap<>();

    /** Containers of ours that stand for no wished name, or run as the second of one. */
    final List<Observed> strays = new ArrayList<>();

    /** Wished containers that run and are to go down, with the reason. */
    final Map<String, String> stopping = new LinkedHashMap<>();

    final List<Step> steps = new ArrayList<>();
    final Map<String, String> exits = new TreeMap<>();
    private @Nullable Instant wake;

    Turn(Situation situation, Wish wish, RandomGenerator random) {
        this.situation = situation;
        this.wish = wish;
        this.graph = wish.graph();
        this.now = situation.now();
        this.random = random;
        situation.memos().forEach((name, memo) -> memos.put(name, memo.copy()));
        Map<String, List<Observed>> named = new HashMap<>();
        for (Observed o : situation.observed()) {
            if (wish.containers().containsKey(o.name())) {
                named.computeIfAbsent(o.name(), x -> new ArrayList<>()).add(o);
            } else {
                strays.add(o);
            }
        }
        wish.containers().forEach((name, w) -> place(w, named.getOrDefault(name, List.of())));
    }

    private void place(Wished w, List<Observed> all) {
        Memo m = memo(w.name());
        Cast cast = Cast.of(all, o -> m.digestOf(o).equals(w.digest()), m.runningId);
        casts.put(w.name(), cast);
        strays.addAll(cast.runningExtras());
    }

    Memo memo(String name) {
        return memos.computeIfAbsent(name, x -> new Memo());
    }

    Cast cast(String name) {
        return casts.getOrDefault(name, Cast.NOBODY);
    }

    @Nullable Observed observed(String name) {
        return cast(name).current();
    }

    /** Of all containers of a name the one with this id; null: it is gone. */
    @Nullable Observed observed(String name, @Nullable String id) {
        return situation.observed().stream()
                .filter(o -> o.name().equals(name) && o.id().equals(id))
                .findFirst()
                .orElse(null);
    }

    /** A step other than one about an image is planned for the name. */
    boolean planned(String name) {
        return steps.stream().anyMatch(s -> !s.isImage() && s.container().equals(name));
    }

    /** The removal of a container; its files in memory stay while another one uses them. */
    Step removal(Observed o, String why) {
        boolean shared =
                situation.observed().stream()
                        .anyMatch(other ->
                                !other.id().equals(o.id())
                                        && other.name().equals(o.name())
                                        && other.fixedDigest().equals(o.fixedDigest()));
        boolean none = shared || o.fixedDigest().isEmpty();
        return new Step.RemoveContainer(o.name(), o.id(), none ? null : o.fixedDigest(), why);
    }

    boolean busy(String name) {
        return situation.busy().containsKey(name);
    }

    boolean runs(String name) {
        Observed o = observed(name);
        return o != null && o.running();
    }

    boolean imageHere(Wished w) {
        return situation.images().contains(w.image());
    }

    /**
     * There with a spec other than the wished one, or joined to a container that has been made anew
     * since.
     */
    boolean outdated(Wished w) {
        Observed o = observed(w.name());
        return o != null && (!fits(w, o) || ownerReplaced(w));
    }

    /** Of the wished spec, made so or brought to it since. */
    boolean fits(Wished w, Observed o) {
        return memo(w.name()).digestOf(o).equals(w.digest());
    }

    /** Outdated in nothing but what the engine can set anew on a living container. */
    boolean updatable(Wished w) {
        Observed o = observed(w.name());
        return o != null
                && !fits(w, o)
                && o.fixedDigest().equals(w.fixed())
                && !w.digest().equals(memo(w.name()).replaceDigest)
                && !ownerReplaced(w);
    }

    /**
     * Whether a new container can be made while the old one runs. One that joins others is made of
     * what those are, so it waits until they are what they will be.
     */
    static boolean madeAhead(Wished w) {
        return w.spec().joined().isEmpty();
    }

    /** Whether everything is there for the old container to go. */
    boolean replaceable(Wished w) {
        return imageHere(w) && (!madeAhead(w) || cast(w.name()).next() != null);
    }

    private boolean ownerReplaced(Wished w) {
        Map<String, String> joinedTo = memo(w.name()).joinedTo;
        for (String owner : w.spec().joined()) {
            Observed now = observed(owner);
            String then = joinedTo.get(owner);
            if (now != null && then != null && !then.equals(now.id())) {
                return true;
            }
        }
        return false;
    }

    /** The containers that one made now would be joined to. */
    Map<String, String> owners(Wished w) {
        var owners = new TreeMap<String, String>();
        for (String owner : w.spec().joined()) {
            Observed now = observed(owner);
            if (now != null) {
                owners.put(owner, now.id());
            }
        }
        return owners;
    }

    boolean done(Wished w) {
        return w.digest().equals(memo(w.name()).doneDigest);
    }

    void wakeAt(@Nullable Instant at) {
        if (at != null && (wake == null || at.isBefore(wake))) {
            wake = at;
        }
    }

    boolean reached(@Nullable Instant at) {
        return at == null || !now.isBefore(at);
    }

    /** Counts a failure and sets the time of the next try. */
    void fail(Wished w, Memo m, String why) {
        m.failures++;
        m.lastDelay = BackOff.afterFailure(w.restart(), m.failures, random);
        m.nextTry = now.plus(m.lastDelay);
        m.to(
                ContainerState.BACKOFF,
                why + (m.failures > 1 ? "; failed " + m.failures + " times in a row" : ""));
    }

    /**
     * Whether the loss of an edge's target, or its return in another incarnation, brings its
     * dependent down.
     */
    boolean lost(Memo dependent, Edge edge) {
        Wished target = wish.containers().get(edge.to());
        if (!edge.restart() || target == null) {
            return false;
        }
        Memo m = memo(edge.to());
        boolean otherIncarnation =
                dependent.builtOn.getOrDefault(edge.to(), m.incarnation) != m.incarnation;
        boolean standing = runs(edge.to()) || completed(target, m);
        if (!edge.required()) {
            return standing && otherIncarnation;
        }
        return switch (edge.condition()) {
            case STARTED -> !standing || otherIncarnation;
            case HEALTHY ->
                    !runs(edge.to())
                            || otherIncarnation
                            || health(edge.to()) == Observed.Health.UNHEALTHY;
            case COMPLETED -> !completed(target, m) || otherIncarnation;
        };
    }

    /** A one-shot whose new spec waits for its image still counts by its old one. */
    private boolean completed(Wished target, Memo m) {
        return m.doneDigest != null && (done(target) || !imageHere(target));
    }

    private Observed.Health health(String name) {
        Observed o = observed(name);
        return o == null ? Observed.Health.UNKNOWN : o.health();
    }

    /** Whether the condition of an edge holds, so that its dependent may start. */
    boolean holds(Edge edge) {
        Wished target = wish.containers().get(edge.to());
        if (target == null) {
            return !edge.required();
        }
        Memo m = memo(edge.to());
        boolean met =
                switch (edge.condition()) {
                    case STARTED -> (standsFirm(edge.to()) && settled(m)) || done(target);
                    case HEALTHY -> standsFirm(edge.to()) && m.ready;
                    case COMPLETED -> done(target);
                };
        return met || (!edge.required() && hopeless(m));
    }

    private boolean standsFirm(String name) {
        return runs(name) && !busy(name) && !stopping.containsKey(name);
    }

    /**
     * A dependency that failed more than once in a row must have stood as long as it was waited
     * for, within bounds: its dependents would else be started and stopped at each of its crashes.
     */
    private boolean settled(Memo m) {
        Instant since = m.readySince;
        if (m.failures < 2 || since == null) {
            return m.failures < 2;
        }
        Duration time = m.lastDelay;
        time = time.compareTo(LEAST_STAND) < 0 ? LEAST_STAND : time;
        Instant at = since.plus(time.compareTo(MOST_STAND) > 0 ? MOST_STAND : time);
        if (!reached(at)) {
            wakeAt(at);
        }
        return reached(at);
    }

    private static boolean hopeless(Memo m) {
        return switch (m.state) {
            case BLOCKED, STOPPED, GONE, UNREADY -> true;
            case BACKOFF -> m.failures >= 2;
            case WAITING, PREPARING, CREATING, STARTING, UP, STOPPING, DONE -> false;
        };
    }

    Decision decision() {
        return new Decision(memos, steps, exits, wake);
    }
}

package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Hook;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one container from one look to the next, and across a restart of the agent.
 * Mutable only inside one decision, which works on copies; otherwise treated as a value.
 */
final class Memo {
    ContainerState state = ContainerState.WAITING;
    String reason = "";

    /** Why it went down last: what a later start is told to be for. */
    String cause = "";

    /** Digest of the wished spec that the counters below belong to. */
    String digest = "";

    /** Failures in a row; back-off follows from it. */
    int failures;

    Duration lastDelay = Duration.ZERO;
    @Nullable Instant nextTry;

    /** Failures to get its image or to make it beside the one that still runs. */
    int aheadFailures;

    @Nullable Instant aheadNextTry;
    String aheadReason = "";

    /** How often the present container was started again. */
    long restarts;

    /** Counts the starts of this name; dependents compare it with what they were started on. */
    long incarnation;

    /** The incarnation that each dependency had when this container was started. */
    Map<String, Long> builtOn = new TreeMap<>();

    /** The container that runs, or was told to; null: none should be running. */
    @Nullable String runningId;

    @Nullable Instant startedAt;
    @Nullable Instant lastStart;

    /** A start was issued and its outcome is not known. */
    boolean pendingStart;

    /** Its health check has passed (or it has none) in this incarnation, and does not fail now. */
    boolean ready;

    @Nullable Instant readySince;
    @Nullable Instant notReadySince;

    /** Spec digest under which the one-shot completed; null: it has not. */
    @Nullable String doneDigest;

    /** Its restart policy allows no further try. */
    boolean spent;

    /** The coming exit is our own doing. */
    boolean stopAsked;

    /** ... and counts as a failure all the same (it was unhealthy). */
    boolean stopCounts;

    /** No second attempt to stop or remove before this. */
    @Nullable Instant stopNotBefore;

    boolean restartAsked;
    boolean held;
    Duration grace = Duration.ofSeconds(10);

    /** Hooks of the container that runs, which may be of an older spec than the wished one. */
    List<Hook> preStop = List.of();

    /** Ids of the containers that this one was joined to when it was made, by name. */
    Map<String, String> joinedTo = new TreeMap<>();

    /** What of its spec its engine does not do; empty: nothing. */
    String note = "";

    /** The container that was started or taken over last. */
    @Nullable String lastId;

    /** The container that was ready last: kept beside a new one until that is ready too. */
    @Nullable String goodId;

    /** The container that was given the limits of {@link #updatedDigest} after it was made. */
    @Nullable String updatedId;

    @Nullable String updatedDigest;

    /** The spec that the engine would not give to the living container: a new one is made. */
    @Nullable String replaceDigest;

    @Nullable LastExit lastExit;

    Memo copy() {
        var m = new Memo();
        m.state = state;
        m.reason = reason;
        m.cause = cause;
        m.digest = digest;
        m.failures = failures;
        m.lastDelay = lastDelay;
        m.nextTry = nextTry;
        m.aheadFailures = aheadFailures;
        m.aheadNextTry = aheadNextTry;
        m.aheadReason = aheadReason;
        m.restarts = restarts;
        m.incarnation = incarnation;
        m.runningId = runningId;
        m.startedAt = startedAt;
        m.lastStart = lastStart;
        m.pendingStart = pendingStart;
        m.ready = ready;
        m.readySince = readySince;
        m.notReadySince = notReadySince;
        m.doneDigest = doneDigest;
        m.spent = spent;
        m.stopAsked = stopAsked;
        m.stopCounts = stopCounts;
        m.stopNotBefore = stopNotBefore;
        m.restartAsked = restartAsked;
        m.held = held;
        m.grace = grace;
        m.preStop = preStop;
        m.joinedTo = new TreeMap<>(joinedTo);
        m.note = note;
        m.lastId = lastId;
        m.goodId = goodId;
        m.updatedId = updatedId;
        m.updatedDigest = updatedDigest;
        m.replaceDigest = replaceDigest;
        m.lastExit = lastExit;
        m.builtOn = new TreeMap<>(builtOn);
        return m;
    }

    /** Of the spec that a container is of by now. */
    String digestOf(Observed o) {
        String digest = updatedDigest;
        return digest != null && o.id().equals(updatedId) ? digest : o.specDigest();
    }

    void to(ContainerState newState, String why) {
        state = newState;
        reason = why;
    }

    /** Puts the counters back, as a new spec, a boot or an operator does. */
    void forgive() {
        failures = 0;
        lastDelay = Duration.ZERO;
        nextTry = null;
        soundAhead();
        spent = false;
        stopNotBefore = null;
    }

    /** Nothing ails what is to be there before the old container goes. */
    void soundAhead() {
        aheadFailures = 0;
        aheadNextTry = null;
        aheadReason = "";
    }

    /** After a boot nothing runs, and nothing that happened before speaks against a start. */
    void reboot() {
        forgive();
        stopped();
        cause = "the VM booted";
        builtOn = new TreeMap<>();
        pendingStart = false;
        stopAsked = false;
        stopCounts = false;
        if (state != ContainerState.DONE && state != ContainerState.STOPPED) {
            to(ContainerState.WAITING, "the VM booted");
        }
    }

    void stopped() {
        runningId = null;
        startedAt = null;
        ready = false;
        readySince = null;
        notReadySince = null;
    }

    Map<String, Object> toTree() {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("state", state.name());
        tree.put("reason", reason);
        tree.put("cause", cause);
        tree.put("digest", digest);
        tree.put("failures", failures);
        tree.put("last_delay_ms", lastDelay.toMillis());
        put(tree, "next_try_ms", nextTry);
        tree.put("ahead_failures", aheadFailures);
        put(tree, "ahead_next_try_ms", aheadNextTry);
        tree.put("ahead_reason", aheadReason);
        tree.put("restarts", restarts);
        tree.put("incarnation", incarnation);
        tree.put("built_on", new LinkedHashMap<>(builtOn));
        put(tree, "running_id", runningId);
        put(tree, "started_at_ms", startedAt);
        put(tree, "last_start_ms", lastStart);
        tree.put("pending_start", pendingStart);
        tree.put("ready", ready);
        put(tree, "ready_since_ms", readySince);
        put(tree, "not_ready_since_ms", notReadySince);
        put(tree, "done_digest", doneDigest);
        tree.put("spent", spent);
        tree.put("stop_asked", stopAsked);
        tree.put("stop_counts", stopCounts);
        put(tree, "stop_not_before_ms", stopNotBefore);
        tree.put("restart_asked", restartAsked);
        tree.put("held", held);
        tree.put("grace_ms", grace.toMillis());
        tree.put("pre_stop", preStop.stream().map(Hook::toTree).toList());
        tree.put("joined_to", new LinkedHashMap<>(joinedTo));
        tree.put("note", note);
        put(tree, "last_id", lastId);
        put(tree, "good_id", goodId);
        put(tree, "updated_id", updatedId);
        put(tree, "updated_digest", updatedDigest);
        put(tree, "replace_digest", replaceDigest);
        LastExit exit = lastExit;
        if (exit != null) {
            tree.put(
                    "last_exit",
                    Json.of(
                            "code",
                            exit.code() == null ? null : (long) exit.code(),
                            "oom",
                            exit.oom(),
                            "at_ms",
                            exit.at().toEpochMilli()));
        }
        return tree;
    }

    static Memo fromTree(Object tree) {
        Fields f = Fields.of(tree, "remembered container");
        var m = new Memo();
        m.state = ContainerState.valueOf(f.string("state"));
        m.reason = f.string("reason", "");
        m.cause = f.string("cause", "");
        m.digest = f.string("digest", "");
        m.failures = (int) f.integer("failures", 0);
        m.lastDelay = Duration.ofMillis(f.integer("last_delay_ms", 0));
        m.nextTry = instant(f, "next_try_ms");
        m.aheadFailures = (int) f.integer("ahead_failures", 0);
        m.aheadNextTry = instant(f, "ahead_next_try_ms");
        m.aheadReason = f.string("ahead_reason", "");
        m.restarts = f.integer("restarts", 0);
        m.incarnation = f.integer("incarnation", 0);
        Fields built = f.object("built_on");
        built.tree().keySet().forEach(name -> m.builtOn.put(name, built.integer(name)));
        m.runningId = f.optionalString("running_id");
        m.startedAt = instant(f, "started_at_ms");
        m.lastStart = instant(f, "last_start_ms");
        m.pendingStart = f.flag("pending_start", false);
        m.ready = f.flag("ready", false);
        m.readySince = instant(f, "ready_since_ms");
        m.notReadySince = instant(f, "not_ready_since_ms");
        m.doneDigest = f.optionalString("done_digest");
        m.spent = f.flag("spent", false);
        m.stopAsked = f.flag("stop_asked", false);
        m.stopCounts = f.flag("stop_counts", false);
        m.stopNotBefore = instant(f, "stop_not_before_ms");
        m.restartAsked = f.flag("restart_asked", false);
        m.held = f.flag("held", false);
        m.grace = Duration.ofMillis(f.integer("grace_ms", 10_000));
        m.preStop = f.list("pre_stop").stream().map(Hook::fromTree).toList();
        m.joinedTo.putAll(f.stringMap("joined_to"));
        m.note = f.string("note", "");
        m.lastId = f.optionalString("last_id");
        m.goodId = f.optionalString("good_id");
        m.updatedId = f.optionalString("updated_id");
        m.updatedDigest = f.optionalString("updated_digest");
        m.replaceDigest = f.optionalString("replace_digest");
        if (f.has("last_exit")) {
            Fields exit = f.object("last_exit");
            Long code = exit.optionalInteger("code");
            m.lastExit =
                    new LastExit(
                            code == null ? null : code.intValue(),
                            exit.flag("oom", false),
                            Instant.ofEpochMilli(exit.integer("at_ms", 0)));
        }
        return m;
    }

    private static void put(Map<String, Object> tree, String key, @Nullable Instant at) {
        if (at != null) {
            tree.put(key, at.toEpochMilli());
        }
    }

    private static void put(Map<String, Object> tree, String key, @Nullable String text) {
        if (text != null) {
            tree.put(key, text);
        }
    }

    private static @Nullable Instant instant(Fields f, String key) {
        Long millis = f.optionalInteger(key);
        return millis == null ? null : Instant.ofEpochMilli(millis);
    }
}

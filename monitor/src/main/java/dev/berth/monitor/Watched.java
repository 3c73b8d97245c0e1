package dev.berth.monitor;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All that is known of one instance. Plain state; {@link Judge} alone changes it. */
final class Watched {
    private final JudgeSettings settings;
    Fleet.Member member;

    /**
     * Since when this VM is known, or was last repaired: silence counts from here at the earliest.
     */
    Instant knownSince;

    /** Null: never, since it is known. */
    @Nullable Instant heardAt;

    /** Since when its connection is lost; null: it is not, as far as is known. */
    @Nullable Instant lostAt;

    Report report = Report.NONE;
    @Nullable Instant degradedSince;

    /** What the last answer said; null: nothing was asked since it was last heard. */
    @Nullable Evidence evidence;

    String evidenceReason = "";

    /** Pings in a row that nobody answered. */
    int unanswered;

    /** An answer is awaited since then. */
    @Nullable Instant askedAt;

    /** Not to be asked before. */
    @Nullable Instant askAt;

    @Nullable Instant wellSince;
    Verdict verdict;

    /** Why it is to be repaired; null: it is not. */
    @Nullable String need;

    /** The need rests on silence alone, not on the cloud's word. */
    boolean needBySilence;

    boolean repairing;

    /** It was seen well while its repair went on. */
    boolean broughtBack;

    /** Its last repair came to a good end. */
    boolean helped;

    /** Repairs in a row that did not bring it back. */
    int repairs;

    @Nullable Instant notBefore;
    String waiting = "";

    /** When it is in the judge's queue; null: it is not. */
    @Nullable Instant wakeAt;

    Watched(JudgeSettings settings, Fleet.Member member, Instant now) {
        this.settings = settings;
        this.member = member;
        knownSince = now;
        verdict = new Verdict.Silent(now);
    }

    /** Another VM stands for the instance; the memory of its repairs stays. */
    void replaced(Fleet.Member by, Instant now) {
        member = by;
        report = Report.NONE;
        degradedSince = null;
        forget(now);
    }

    /** Nothing said before counts any more. */
    void forget(Instant now) {
        knownSince = now;
        heardAt = null;
        lostAt = null;
        unanswered = 0;
        evidence = null;
        askedAt = null;
        askAt = null;
    }

    /**
     * A repair has brought it back, so that what befalls it next is another trouble, not to be
     * waited with.
     */
    void recovered() {
        helped = false;
        repairs = 0;
        notBefore = null;
    }

    void heard(Instant now) {
        if (helped) {
            recovered();
        }
        heardAt = now;
        lostAt = null;
        unanswered = 0;
        evidence = null;
        askedAt = null;
        askAt = null;
    }

    /** What the cloud said before is older than this sign, and no ground for a repair any more. */
    void heardLate(Instant now) {
        heardAt = now;
        unanswered = 0;
        if (evidence != null && !evidence.isDecisive()) {
            evidence = null;
        }
    }

    /**
     * A message of an agent whose connection is lost: one that was under way proves nothing, a
     * later one shows that it is back.
     */
    boolean isLate(Instant now) {
        return lostAt != null && now.isBefore(lostAt.plusSeconds(1));
    }

    Instant silentSince(Instant backAt) {
        Instant since = heardAt == null ? knownSince : heardAt;
        return since.isBefore(backAt) ? backAt : since;
    }

    boolean isHeard(Instant now) {
        return lostAt == null
                && heardAt != null
                && now.isBefore(heardAt.plus(settings.suspectAfter()));
    }

    boolean isSuspect(Instant now, Instant backAt) {
        return (lostAt != null && !now.isBefore(lostAt.plus(settings.disconnectDebounce())))
                || !now.isBefore(silentSince(backAt).plus(settings.suspectAfter()));
    }

    /**
     * How long it may be silent with its VM present. One that was not heard since it is known may
     * be on its way up: it gets longer, the more so as long as most others are silent, too.
     */
    Duration patience(boolean othersAreHeard) {
        if (heardAt != null) {
            return settings.agentTimeout();
        }
        Duration early = settings.agentTimeout().multipliedBy(4);
        boolean isShorter = early.compareTo(settings.startGrace()) < 0;
        return othersAreHeard && isShorter ? early : settings.startGrace();
    }

    /** What differs from the wish in what its agent says; null: nothing. */
    @Nullable String trouble() {
        if (report == Report.NONE) {
            return "it answers, and has not said yet how it is";
        }
        if (!member.state().equals("started")) {
            return report.jobState().equals("running")
                    ? "containers run though it was stopped"
                    : null;
        }
        return switch (report.jobState()) {
            case "failing" -> "containers are failing";
            case "stopped" -> "containers are stopped though they should run";
            case "starting" -> "containers are starting";
            case "unknown" -> "the agent cannot say how its containers are";
            default -> missing();
        };
    }

    private @Nullable String missing() {
        List<String> disks = without(member.wished().disks(), report.disks());
        if (!disks.isEmpty()) {
            return "disk " + String.join(", ", disks) + " is not mounted and proven";
        }
        List<String> containers = without(member.wished().containers(), report.containers());
        return containers.isEmpty()
                ? null
                : "container " + String.join(", ", containers) + " is wished and not there";
    }

    private static List<String> without(Set<String> wished, @Nullable Set<String> told) {
        return told == null
                ? List.of()
                : wished.stream().filter(name -> !told.contains(name)).sorted().toList();
    }

    /**
     * Its connection is lost, or it is asked about, and nobody has said yet, or could say, what
     * became of it.
     */
    boolean isUnsure() {
        return evidence == Evidence.UNKNOWN
                || (lostAt != null || askedAt != null) && evidence == null;
    }

    boolean isDown() {
        return need != null || repairing;
    }

    /** The alert of this instance: one trouble at a time. */
    String alarm() {
        return "instance/" + member.instance();
    }
}

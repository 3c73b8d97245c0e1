package dev.berth.monitor;

import java.time.Duration;
import java.time.Instant;
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

    String jobState = "";
    @Nullable Instant degradedSince;

    /** What the last answer said; null: nothing was asked since it was last heard. */
    @Nullable Evidence evidence;

    String evidenceReason = "";

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
        jobState = "";
        degradedSince = null;
        forget(now);
    }

    /** Nothing said before counts any more. */
    void forget(Instant now) {
        knownSince = now;
        heardAt = null;
        lostAt = null;
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
        evidence = null;
        askedAt = null;
        askAt = null;
    }

    /** What the cloud said before is older than this sign, and no ground for a repair any more. */
    void heardLate(Instant now) {
        heardAt = now;
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

    Instant silentSince(Instant busBackAt) {
        Instant since = heardAt == null ? knownSince : heardAt;
        return since.isBefore(busBackAt) ? busBackAt : since;
    }

    boolean isHeard(Instant now) {
        return lostAt == null
                && heardAt != null
                && now.isBefore(heardAt.plus(settings.suspectAfter()));
    }

    boolean isSuspect(Instant now, Instant busBackAt) {
        return (lostAt != null && !now.isBefore(lostAt.plus(settings.disconnectDebounce())))
                || !now.isBefore(silentSince(busBackAt).plus(settings.suspectAfter()));
    }

    /** How long it may be silent with its VM present. */
    Duration patience() {
        return heardAt == null ? settings.startGrace() : settings.agentTimeout();
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

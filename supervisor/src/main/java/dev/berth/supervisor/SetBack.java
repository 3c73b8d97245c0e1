package dev.berth.supervisor;

import java.time.Instant;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Brings remembered times back to the present when the clock was set back between two lives of the
 * agent: nothing waits longer than it would have had to. While an agent lives, {@link ForwardClock}
 * sees to that.
 */
final class SetBack {
    private SetBack() {}

    static void mend(Collection<Memo> memos, Instant now) {
        for (Memo m : memos) {
            m.nextTry = atMost(m.nextTry, now.plus(m.lastDelay));
            m.aheadNextTry = atMost(m.aheadNextTry, now.plus(BackOff.LONGEST));
            m.stopNotBefore = atMost(m.stopNotBefore, now.plus(StopPlan.STOP_RETRY));
            m.startedAt = atMost(m.startedAt, now);
            m.lastStart = atMost(m.lastStart, now);
            m.readySince = atMost(m.readySince, now);
            m.notReadySince = atMost(m.notReadySince, now);
        }
    }

    private static @Nullable Instant atMost(@Nullable Instant at, Instant latest) {
        return at != null && at.isAfter(latest) ? latest : at;
    }
}

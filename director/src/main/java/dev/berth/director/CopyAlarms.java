package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.monitor.AlertSink;
import dev.berth.wire.Alert;
import org.jspecify.annotations.Nullable;

/**
 * Tells of copies of data that were to be made, or to go, by the clock and could not: nobody may be
 * looking. Told once until it works again. Thread-safe.
 */
final class CopyAlarms {
    private static final System.Logger LOG = System.getLogger(CopyAlarms.class.getName());
    private static final int ERROR = 3;

    private final AlertSink alerts;
    private final Clock clock;

    CopyAlarms(AlertSink alerts, Clock clock) {
        this.alerts = alerts;
        this.clock = clock;
    }

    /**
     * @param id stable for what cannot be done: {@code backup/DEPLOYMENT}, {@code
     *     snapshot/INSTANCE}
     * @param what cannot be done, in the alert's title
     * @param why without secrets
     */
    void failed(String id, String what, String why, @Nullable String deployment) {
        LOG.log(System.Logger.Level.WARNING, "{0}: {1}", what, why);
        alerts.raised(
                new Alert(
                        id,
                        ERROR,
                        what,
                        why,
                        clock.now().getEpochSecond(),
                        AlertSources.MONITOR,
                        deployment,
                        null));
    }

    /** It worked; nothing is told if it did before. */
    void works(String id) {
        alerts.resolved(id, id);
    }
}

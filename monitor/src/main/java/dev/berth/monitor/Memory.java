package dev.berth.monitor;

import dev.berth.model.InstanceId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the judge must not forget when the director is started anew; all else it finds out by
 * looking. Only of instances of which there is something to remember.
 *
 * @param repairs that did not help, in a row
 * @param notBefore the next repair; null: at once
 * @param downAt when it was last down, as far as that still counts for a meltdown; null: it does
 *     not
 */
public record Memory(
        InstanceId instance, int repairs, @Nullable Instant notBefore, @Nullable Instant downAt) {}

package dev.berth.supervisor;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a container ended last.
 *
 * @param code null when the engine no longer knows it
 * @param oom whether the kernel killed it for want of memory
 */
public record LastExit(@Nullable Integer code, boolean oom, Instant at) {
    /** {@code exited with code 137 (out of memory)}. */
    String text() {
        return (code == null ? "disappeared" : "exited with code " + code)
                + (oom ? " (out of memory)" : "");
    }
}

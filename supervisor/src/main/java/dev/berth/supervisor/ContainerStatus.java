package dev.berth.supervisor;

import org.jspecify.annotations.Nullable;

/**
 * One container as its supervisor sees it.
 *
 * @param image the reference of the spec; empty for one that is not wished or is built in place
 * @param state a {@link ContainerState} in lower case
 * @param health {@code none}, {@code starting}, {@code healthy}, {@code unhealthy} or {@code
 *     unknown}; empty when it does not run
 * @param specDigest digest of the spec it was made from; empty when there is no container
 * @param containerId the engine's id; null when there is none
 * @param startedAtMillis Unix milliseconds; 0 when it does not run
 * @param restarts how often the supervisor started it again since it was created
 * @param failures failures in a row that the back-off counts; 0 after it was ready long enough
 * @param lastExitCode null when it never ended, or the engine lost the code
 * @param lastLog the last lines of its output before it ended last, at most 50 lines and 8 KiB;
 *     empty when it never ended under this process
 * @param reason why it is in this state; empty when all is well
 * @param cause why it was down before its present or coming start; empty before the first
 * @param nextTryMillis Unix milliseconds; 0 when no try is planned
 */
public record ContainerStatus(
        String name,
        String image,
        @Nullable String imageDigest,
        String state,
        String health,
        String specDigest,
        @Nullable String containerId,
        long startedAtMillis,
        long restarts,
        int failures,
        @Nullable Integer lastExitCode,
        boolean lastExitOom,
        long lastExitAtMillis,
        String lastLog,
        String reason,
        String cause,
        long nextTryMillis) {}

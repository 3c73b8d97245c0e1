package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * The deployment's lock for parts of a long task, which leaves deployment and healer to others in
 * between.
 */
record DeploymentLock(TaskContext task, Clock clock, String deployment) {
    private static final Duration PATIENCE = Duration.ofHours(1);
    private static final int BUSY = 100;

    /** Waits longer than other tasks do: what was begun has to be cleaned up. */
    <T> T held(Callable<T> work) throws Exception {
        Instant giveUp = clock.now().plus(PATIENCE);
        while (true) {
            Locks.Held lock;
            try {
                lock = task.lock("deployment", List.of(deployment));
            } catch (ProblemException e) {
                if (e.code() != BUSY || clock.now().isAfter(giveUp)) {
                    throw e;
                }
                continue;
            }
            try (lock) {
                return work.call();
            }
        }
    }
}

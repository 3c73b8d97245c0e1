package dev.berth.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When a container starts and stops, and what is done when it ends or ails.
 *
 * @param startTimeout how long it may take to become healthy; zero: 60 s and its start period
 * @param stopSignal null: the image's own
 * @param postStart run in it after each start, in order; one that fails is a failed start
 * @param preStop run in it before it is asked to stop, within the grace period
 */
public record ContainerOrder(
        List<Dependency> dependsOn,
        Restart restart,
        @Nullable Healthcheck healthcheck,
        Duration startTimeout,
        @Nullable String stopSignal,
        Duration stopGracePeriod,
        List<Hook> postStart,
        List<Hook> preStop) {
    public static final ContainerOrder DEFAULT =
            new ContainerOrder(
                    List.of(),
                    Restart.DEFAULT,
                    null,
                    Duration.ZERO,
                    null,
                    Duration.ofSeconds(10),
                    List.of(),
                    List.of());

    /**
     * An edge to another container of the instance.
     *
     * @param restart whether the loss of {@code container} restarts this one (default true)
     */
    public record Dependency(
            String container, Condition condition, boolean restart, boolean required) {
        /** What must hold of the other container before this one starts. */
        public enum Condition {
            STARTED,
            HEALTHY,
            COMPLETED
        }
    }

    /**
     * As the Engine's: {@code test} begins with NONE, CMD or CMD-SHELL, empty is the image's own;
     * zero durations inherit.
     *
     * @param startInterval time between tests within the start period
     */
    public record Healthcheck(
            List<String> test,
            Duration interval,
            Duration timeout,
            int retries,
            Duration startPeriod,
            Duration startInterval) {
        public Healthcheck(
                List<String> test,
                Duration interval,
                Duration timeout,
                int retries,
                Duration startPeriod) {
            this(test, interval, timeout, retries, startPeriod, Duration.ZERO);
        }

        public boolean isDisabled() {
            return test.equals(List.of("NONE"));
        }
    }

    /**
     * When the supervisor starts it again.
     *
     * @param maximumRetries failures in a row before it is left alone; 0: no limit
     * @param delay least time before each new start; zero: at once, then slower and slower
     * @param window time for which it must run well before failures are forgotten; zero: a minute
     */
    public record Restart(Policy policy, int maximumRetries, Duration delay, Duration window) {
        public static final Restart DEFAULT = new Restart(Policy.ALWAYS, 0);

        /** Compose's policies; one-shots are NO or ON_FAILURE containers others wait for. */
        public enum Policy {
            NO,
            ALWAYS,
            ON_FAILURE,
            UNLESS_STOPPED
        }

        public Restart(Policy policy, int maximumRetries) {
            this(policy, maximumRetries, Duration.ZERO, Duration.ZERO);
        }
    }

    /**
     * A command run in the container.
     *
     * @param user null: the container's
     * @param workingDir null: the container's
     */
    public record Hook(
            List<String> command,
            @Nullable String user,
            @Nullable String workingDir,
            boolean privileged,
            Map<String, String> environment) {
        static final Hook DEFAULT = new Hook(List.of(), null, null, false, Map.of());

        public Map<String, Object> toTree() {
            return RecordTree.write(this, RecordTree.Secrets.REVEALED);
        }

        public static Hook fromTree(Object tree) {
            return RecordTree.read(Hook.class, tree, "hook");
        }

        /** Command and environment may hold secrets (rule R8). */
        @Override
        public String toString() {
            return "Hook[<redacted>]";
        }
    }

    /** What is left when the supervisor's own business is taken away: what the engine is told. */
    ContainerOrder withoutSupervision() {
        return new ContainerOrder(
                List.of(),
                Restart.DEFAULT,
                healthcheck,
                Duration.ZERO,
                stopSignal,
                stopGracePeriod,
                List.of(),
                List.of());
    }

    ContainerOrder restartedBy(Restart policy) {
        return new ContainerOrder(
                dependsOn,
                policy,
                healthcheck,
                startTimeout,
                stopSignal,
                stopGracePeriod,
                postStart,
                preStop);
    }
}

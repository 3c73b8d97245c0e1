package dev.berth.supervisor;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One of our containers as the engine shows it.
 *
 * @param name from our label; the wished container that this one stands for
 * @param engineName the engine's name; another than {@code name} when somebody renamed it
 * @param specDigest from our label; empty when the label is missing
 * @param fixedDigest from our label: of what only another container can change
 * @param exitCode of the last exit; null when it runs, never ran, or the code is not known yet
 * @param startedAt null when not known; a list does not tell it
 * @param hostPorts ports of the VM that it holds while it runs
 */
record Observed(
        String name,
        String engineName,
        String id,
        String specDigest,
        String fixedDigest,
        Phase phase,
        Health health,
        @Nullable Integer exitCode,
        boolean oom,
        @Nullable Instant startedAt,
        Set<Integer> hostPorts) {
    /** The engine's states, less those that a container under us cannot have. */
    enum Phase {
        CREATED,
        RUNNING,
        PAUSED,
        EXITED
    }

    /** UNKNOWN right after a start, until a list or an event tells. */
    enum Health {
        UNKNOWN,
        NONE,
        STARTING,
        HEALTHY,
        UNHEALTHY
    }

    boolean running() {
        return phase == Phase.RUNNING || phase == Phase.PAUSED;
    }

    Observed started(Instant at) {
        return copy(engineName, Phase.RUNNING, Health.UNKNOWN, null, false, at);
    }

    Observed exited(@Nullable Integer code) {
        return copy(engineName, Phase.EXITED, health, code, oom, startedAt);
    }

    Observed with(Phase newPhase, Health newHealth) {
        return copy(engineName, newPhase, newHealth, exitCode, oom, startedAt);
    }

    Observed outOfMemory() {
        return copy(engineName, phase, health, exitCode, true, startedAt);
    }

    Observed named(String newEngineName) {
        return copy(newEngineName, phase, health, exitCode, oom, startedAt);
    }

    Observed startedSometime(@Nullable Instant at) {
        return copy(engineName, phase, health, exitCode, oom, at);
    }

    /** The same container: what it was made as does not change. */
    private Observed copy(
            String newEngineName,
            Phase newPhase,
            Health newHealth,
            @Nullable Integer newExitCode,
            boolean newOom,
            @Nullable Instant newStartedAt) {
        return new Observed(
                name,
                newEngineName,
                id,
                specDigest,
                fixedDigest,
                newPhase,
                newHealth,
                newExitCode,
                newOom,
                newStartedAt,
                hostPorts);
    }
}

package dev.berth.monitor;

import java.time.Duration;

/**
 * The judge's numbers.
 *
 * @param disconnectDebounce how long a lost connection may be back before anybody is asked
 * @param reconnectGrace so long after it one still away is asked about again and again, four times
 *     in it; then as all others
 * @param suspectAfter silence that makes the judge ask; two beats of our agents
 * @param agentTimeout silence that, with the VM present, is ground for a repair
 * @param startGrace the same for an agent never heard since it became known: after a start of the
 *     director everybody first has to find back
 * @param askAgain period of asking while somebody is not heard
 * @param askPatience an answer that took longer is given up
 * @param settle how long to wait for answers about others of the deployment, so that a mass failure
 *     is seen as one
 * @param degradedAfter how long an agent must say so before people hear of it
 * @param rogueAfter how long an unknown agent may speak
 * @param meltdownMinimum from so many down, and ...
 * @param meltdownPercent ... that share of the deployment, repairs go one at a time
 * @param meltdownWindow how long a failure counts for that
 * @param backoffFirst pause after a repair that did not help; doubles each time
 * @param backoffMost its limit
 * @param stableAfter well for so long, former repairs are forgotten
 */
public record JudgeSettings(
        Duration disconnectDebounce,
        Duration reconnectGrace,
        Duration suspectAfter,
        Duration agentTimeout,
        Duration startGrace,
        Duration askAgain,
        Duration askPatience,
        Duration settle,
        Duration degradedAfter,
        Duration rogueAfter,
        int meltdownMinimum,
        int meltdownPercent,
        Duration meltdownWindow,
        Duration backoffFirst,
        Duration backoffMost,
        Duration stableAfter) {
    public static final JudgeSettings DEFAULT =
            new JudgeSettings(
                    Duration.ofMillis(200),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(120),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(60),
                    Duration.ofMillis(500),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(120),
                    5,
                    20,
                    Duration.ofSeconds(600),
                    Duration.ofSeconds(10),
                    Duration.ofMinutes(10),
                    Duration.ofSeconds(60));

    public JudgeSettings withSilence(Duration suspect, Duration timeout) {
        return new JudgeSettings(
                disconnectDebounce,
                reconnectGrace,
                suspect,
                timeout,
                startGrace,
                askAgain,
                askPatience,
                settle,
                degradedAfter,
                rogueAfter,
                meltdownMinimum,
                meltdownPercent,
                meltdownWindow,
                backoffFirst,
                backoffMost,
                stableAfter);
    }

    Duration backoff(int failures) {
        Duration pause = backoffFirst;
        for (int i = 1; i < failures && pause.compareTo(backoffMost) < 0; i++) {
            pause = pause.multipliedBy(2);
        }
        return pause.compareTo(backoffMost) < 0 ? pause : backoffMost;
    }
}

package dev.berth.agent;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** The rehearsal runs to its end: mutual TLS, requests, a container that is created and started. */
class TrainingRunTest {
    @Test
    void theRehearsalEnds() {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), TrainingRun::run);
    }
}

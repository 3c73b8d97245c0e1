package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The proof run as a person starts it, with those of its faults that no other test brings about and
 * a few runs of each; {@code berth proof} has them all, and thirty destroyed VMs in a row.
 */
@Tag("engine")
class ProofTest {
    private static final List<String> FAULTS =
            List.of(
                    "silent",
                    "vm",
                    "repair-killed",
                    "grow-killed",
                    "copy-killed",
                    "copy-agent",
                    "snapshot",
                    "restore",
                    "full",
                    "blackout");

    @Test
    void nothingThatADatabaseAcknowledgedIsLost() {
        Shell.Ran ran =
                Shell.run(
                        Map.of("DOCKER_HOST", "unix://" + EngineUnderTest.socket()),
                        List.of(
                                TestEnvironment.launcher().toString(),
                                "proof",
                                "--quick",
                                "--json",
                                "--only",
                                String.join(",", FAULTS)));
        List<Fields> lines = Fields.of(Json.parse(ran.ok()), "proof").objects("proof");
        assertThat(lines).hasSize(FAULTS.size() * 2);
        assertThat(lines)
                .allSatisfy(line -> {
                    String what = line.string("what") + ", " + line.string("database");
                    assertThat(line.integer("runs")).as(what).isPositive();
                    assertThat(line.integer("acknowledged")).as(what).isPositive();
                    for (String damage : List.of("lost", "twice", "disordered", "never_sent")) {
                        assertThat(line.integer(damage)).as(what + ": " + damage).isZero();
                    }
                });
    }
}

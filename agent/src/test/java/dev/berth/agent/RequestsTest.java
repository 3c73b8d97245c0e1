package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import org.junit.jupiter.api.Test;

/** What happens to replies that the bus would not carry. */
class RequestsTest {
    @Test
    void aValueThatIsTooLongBecomesAFailure() {
        assertThat(Requests.bounded(new AgentReply.Value("x".repeat(Requests.LARGEST_REPLY))))
                .isEqualTo(new AgentReply.Failure("Response exceeded maximum allowed length"));
        var fits = new AgentReply.Value("x".repeat(1000));
        assertThat(Requests.bounded(fits)).isSameAs(fits);
    }

    @Test
    void aFailureThatIsTooLongLosesItsMiddleOnly() {
        String long1 = "begin " + "\uD83D\uDE00\n\"".repeat(400_000) + " end";
        AgentReply cut = Requests.bounded(new AgentReply.Failure(long1));
        byte[] wire = Json.write(cut.toTree()).getBytes(UTF_8);
        assertThat(wire.length).isLessThanOrEqualTo(Requests.LARGEST_REPLY).isGreaterThan(100_000);
        assertThat(cut)
                .isInstanceOfSatisfying(
                        AgentReply.Failure.class,
                        failure ->
                                assertThat(failure.message())
                                        .startsWith("begin ")
                                        .endsWith(" end")
                                        .contains("\n...[truncated]...\n"));
        assertThat(AgentReply.fromTree(Json.object(wire))).isEqualTo(cut);
    }
}

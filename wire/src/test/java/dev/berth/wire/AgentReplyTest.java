package dev.berth.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A refusal travels with its reason; agents that give none, or another one, are understood. */
class AgentReplyTest {
    private static AgentReply read(String json) {
        return AgentReply.fromTree(Json.object(json));
    }

    @Test
    void aRefusalOfADiskIsReadAsItWasSent() {
        for (DiskRefusal.Reason reason : DiskRefusal.Reason.values()) {
            var sent = new AgentReply.Failure("no", new DiskRefusal(reason, new DiskCid("disk-b")));
            assertThat(read(Json.write(sent.toTree()))).isEqualTo(sent);
        }
    }

    @Test
    void aFailureWithoutAReasonIsAsBoshHasIt() {
        var plain = new AgentReply.Failure("no");
        assertThat(plain.toTree()).isEqualTo(Map.of("exception", Map.of("message", "no")));
        assertThat(read("{\"exception\": {\"message\": \"no\"}}")).isEqualTo(plain);
        assertThat(read("{\"exception\": \"no\"}")).isEqualTo(plain);
    }

    @Test
    void aReasonThatNobodyKnowsIsNone() {
        for (String refusal :
                new String[] {
                    "{\"reason\": \"new\", \"disk\": \"d\"}",
                    "{\"reason\": \"superseded\", \"disk\": \"\"}",
                    "{\"reason\": \"superseded\", \"disk\": 7}",
                    "{}",
                    "\"superseded\"",
                    "null"
                }) {
            assertThat(
                            read(
                                    "{\"exception\": {\"message\": \"no\", \"disk_refusal\": "
                                            + refusal
                                            + "}}"))
                    .isEqualTo(new AgentReply.Failure("no"));
        }
    }
}

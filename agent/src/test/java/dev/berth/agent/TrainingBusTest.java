package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TrainingBusTest {
    /** As the agent does when the machine is so busy that its first try takes too long. */
    @Test
    void whoGaveUpMayComeAgain() throws Exception {
        var tls = BusTls.peer(TrainingCertificate.make());
        try (var bus = new TrainingBus(tls)) {
            for (int i = 0; i < 3; i++) {
                try (var client = new Socket("127.0.0.1", URI.create(bus.url()).getPort())) {
                    byte[] word = client.getInputStream().readNBytes(4);
                    assertThat(new String(word, StandardCharsets.US_ASCII)).isEqualTo("INFO");
                }
            }
        }
    }
}

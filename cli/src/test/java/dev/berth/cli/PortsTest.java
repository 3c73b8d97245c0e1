package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class PortsTest {
    /** A port in use is passed over, unless it was asked for by number: then the remedy is told. */
    @Test
    void busyPort() throws Exception {
        try (var busy = new ServerSocket(0)) {
            int port = busy.getLocalPort();
            assertThat(Ports.free(port, false, "bus", new ArrayList<>())).isGreaterThan(port);
            assertThatThrownBy(() -> Ports.free(port, true, "director", new ArrayList<>()))
                    .isInstanceOf(CliException.class)
                    .hasMessageContaining("port " + port + " for the director is in use");
        }
    }

    /** Who asks whether somebody listens takes the port from nobody, heard or not. */
    @Test
    void askingTakesNothing() throws Exception {
        int port;
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = listener.getLocalPort();
            assertThat(Ports.isListenedOn("127.0.0.1", port)).isTrue();
        }
        var wanting = new AtomicBoolean(true);
        Thread asker =
                Thread.ofVirtual()
                        .start(() -> {
                            while (wanting.get()) {
                                Ports.isListenedOn("127.0.0.1", port);
                            }
                        });
        for (int i = 0; i < 500; i++) {
            try (var listener = new ServerSocket()) {
                listener.setReuseAddress(true);
                listener.bind(new InetSocketAddress("127.0.0.1", port));
                assertThat(listener.isBound()).isTrue();
            }
        }
        wanting.set(false);
        asker.join();
    }

    /** A port given out once is not given out again in the same choice. */
    @Test
    void takenPort() {
        var taken = new ArrayList<Integer>();
        int first = Ports.free(40_000, false, "bus", taken);
        assertThat(Ports.free(40_000, false, "registry", taken)).isGreaterThan(first);
    }

    /** The gateway is the first address of the network, whichever address of it was named. */
    @Test
    void gateway() {
        assertThat(Ports.gateway("10.244.7.0/24")).isEqualTo("10.244.7.1");
        assertThat(Ports.gateway("10.244.7.130/25")).isEqualTo("10.244.7.129");
    }

    /** What is no network, or of no useful size, is refused in words. */
    @Test
    void badNetworks() {
        for (String bad :
                List.of("10.0.0.0", "10.0.0.256/24", "a/24", "10.0.0.0/8", "10.0.0.0/30")) {
            assertThatThrownBy(() -> Ports.checkFree(bad)).isInstanceOf(CliException.class);
        }
    }

    /** A network that overlaps one of this machine is refused: loopback is on every machine. */
    @Test
    void overlap() {
        assertThatThrownBy(() -> Ports.checkFree("127.0.0.0/24"))
                .hasMessageContaining("overlaps one of this machine");
        Ports.checkFree(Ports.freeNetwork());
    }
}

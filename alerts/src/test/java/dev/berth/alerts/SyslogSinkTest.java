package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AlertsConfig;
import dev.berth.model.AlertsConfig.SyslogTransport;
import dev.berth.model.Clock;
import dev.berth.model.Secret;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RFC 5424 over real sockets. */
class SyslogSinkTest extends SinkContract {
    private final List<String> frames = new CopyOnWriteArrayList<>();
    private @Nullable ServerSocket server;
    private int port;

    @Override
    void serve() throws IOException {
        var socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress("127.0.0.1", port));
        port = socket.getLocalPort();
        server = socket;
        Thread.ofVirtual().start(() -> take(socket));
    }

    private void take(ServerSocket from) {
        while (!from.isClosed()) {
            try (Socket peer = from.accept()) {
                String all =
                        new String(peer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int blank = all.indexOf(' ');
                String frame = all.substring(blank + 1);
                assertThat(frame.getBytes(StandardCharsets.UTF_8))
                        .hasSize(Integer.parseInt(all.substring(0, blank)));
                frames.add(frame);
            } catch (IOException e) {
                // that one has left, or nobody is served any more
            }
        }
    }

    @Override
    void away() throws IOException {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    private AlertsConfig.Syslog to(SyslogTransport transport) {
        return new AlertsConfig.Syslog("127.0.0.1", port, transport, 16, "berth", null);
    }

    @Override
    AlertsConfig.Target target() {
        return to(SyslogTransport.TCP);
    }

    @Override
    List<String> arrived() {
        return frames;
    }

    @Override
    String identity(Notice notice) {
        return "notice=\"" + notice.id() + "\"";
    }

    @Test
    void aDatagramIsOneMessageOfTheRfc() throws Exception {
        try (var receiver = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"))) {
            receiver.setSoTimeout(10_000);
            port = receiver.getLocalPort();
            Sink sink =
                    opened(new Sinks(Clock.SYSTEM, System.out, "h 1").of(to(SyslogTransport.UDP)));
            Notice notice = Notices.life("gone] \"x\"\n<1>fake " + "ä".repeat(3_000)).getFirst();
            assertThat(sink.deliver(List.of(notice))).contains("UDP does not tell");
            var packet = new DatagramPacket(new byte[65_536], 65_536);
            receiver.receive(packet);
            String text =
                    new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
            // facility local0, severity critical
            assertThat(text)
                    .startsWith("<130>1 2026-01-05T10:00:00Z h-1 berth ")
                    .contains(" open [berth@32473 notice=\"berth-e1-17-open\" alert=\"17\"")
                    .doesNotContain("\n")
                    .doesNotContain("\uFFFD");
            assertThat(packet.getLength()).isLessThanOrEqualTo(2_048);
        }
    }

    @Test
    void overTlsItArrivesWhereTheCertificateIsTrusted(@TempDir Path folder) throws Exception {
        var keys = new TestKeys(folder);
        try (var secure = keys.context().getServerSocketFactory().createServerSocket(0)) {
            port = secure.getLocalPort();
            Thread.ofVirtual().start(() -> take(secure));
            Notice notice = Notices.life("gone").getFirst();
            assertThat(tls(keys.ca()).deliver(List.of(notice))).contains("took it");
            Awaitility.await().atMost(SOON).until(() -> frames.size() == 1);
            assertThat(frames.getFirst()).contains(identity(notice));
            assertAway(tls(null), "certification path");
            assertThat(frames).hasSize(1);
        }
    }

    private Sink tls(@Nullable Secret ca) {
        return opened(
                new Sinks(Clock.SYSTEM, System.out, "h")
                        .of(
                                new AlertsConfig.Syslog(
                                        "localhost", port, SyslogTransport.TLS, 16, "berth", ca)));
    }

    @Test
    void aServerThatSpeaksNoTlsIsSaid() throws Exception {
        try (var rude = new ServerSocket(0)) {
            port = rude.getLocalPort();
            Thread.ofVirtual()
                    .start(() -> {
                        try (Socket peer = rude.accept()) {
                            peer.getOutputStream()
                                    .write("hello\n".getBytes(StandardCharsets.UTF_8));
                            byte[] ignored = peer.getInputStream().readNBytes(1);
                            assertThat(ignored).isNotEmpty();
                        } catch (IOException e) {
                            // the sink has left
                        }
                    });
            assertAway(
                    opened(new Sinks(Clock.SYSTEM, System.out, "h").of(to(SyslogTransport.TLS))),
                    "127.0.0.1:" + port);
        }
    }
}

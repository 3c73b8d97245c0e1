package dev.berth.alerts;

import dev.berth.model.AlertsConfig.Syslog;
import dev.berth.model.AlertsConfig.SyslogTransport;
import dev.berth.model.Json;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * RFC 5424, framed by RFC 6587 over TCP. Syslog answers nothing: a connection for each notice, and
 * waiting for its end, tells at least of a server that is not there.
 */
final class SyslogSink implements Sink {
    private static final int CONNECT_MILLIS = 10_000;
    private static final int END_MILLIS = 1_000;

    /** What every receiver of datagrams must take. */
    private static final int LONGEST_DATAGRAM = 2_048;

    private static final String VERSION = "1";
    private final Syslog to;
    private final String host;
    private final Masking masking = new Masking(List.of());

    SyslogSink(Syslog to, String host) {
        this.to = to;
        this.host = host.replaceAll("[^!-~]", "-");
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException {
        byte[] message = line(notices.getFirst()).getBytes(StandardCharsets.UTF_8);
        try {
            if (to.transport() == SyslogTransport.UDP) {
                datagram(message);
                return "sent; UDP does not tell whether it arrived";
            }
            stream(message);
            return "sent; the connection took it";
        } catch (IOException e) {
            throw new SinkException(
                    SinkException.Kind.AWAY, to.host() + ":" + to.port() + ": " + masking.of(e));
        }
    }

    private void datagram(byte[] message) throws IOException {
        int length = Math.min(message.length, LONGEST_DATAGRAM);
        while (length < message.length && (message[length] & 0xC0) == 0x80) {
            length--; // not in the middle of a character
        }
        try (var socket = new DatagramSocket()) {
            socket.send(
                    new DatagramPacket(
                            message, length, InetAddress.getByName(to.host()), to.port()));
        }
    }

    private void stream(byte[] message) throws IOException {
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(to.host(), to.port()), CONNECT_MILLIS);
            plain.setSoTimeout(CONNECT_MILLIS);
            if (to.transport() == SyslogTransport.TCP) {
                write(plain, message);
                plain.shutdownOutput();
                awaitEnd(plain);
                return;
            }
            try (SSLSocket socket =
                    (SSLSocket)
                            Trust.of(to.ca())
                                    .getSocketFactory()
                                    .createSocket(plain, to.host(), to.port(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                write(socket, message);
                socket.shutdownOutput();
                awaitEnd(socket);
            }
        }
    }

    private static void write(Socket socket, byte[] message) throws IOException {
        var out = socket.getOutputStream();
        out.write((message.length + " ").getBytes(StandardCharsets.US_ASCII));
        out.write(message);
        out.flush();
    }

    /** A server that was not there any more answers with a reset. */
    private static void awaitEnd(Socket socket) throws IOException {
        socket.setSoTimeout(END_MILLIS);
        try {
            byte[] ignored = socket.getInputStream().readNBytes(1);
            assert ignored.length <= 1;
        } catch (SocketTimeoutException e) {
            // It keeps the connection open, and has taken all.
        }
    }

    private String line(Notice notice) {
        Incident incident = notice.incident();
        boolean good = notice.kind() == Notice.Kind.RESOLVE || notice.kind() == Notice.Kind.TEST;
        int severity = good ? 5 : Math.max(1, Math.min(4, incident.severity()));
        return "<"
                + (to.facility() * 8 + severity)
                + ">"
                + VERSION
                + " "
                + notice.at()
                + " "
                + host
                + " "
                + to.appName()
                + " "
                + ProcessHandle.current().pid()
                + " "
                + notice.kind().text()
                + " [berth@32473 notice=\""
                + escaped(notice.id())
                + "\" alert=\""
                + incident.number()
                + "\" state=\""
                + incident.state().text()
                + "\" deployments=\""
                + escaped(String.join(",", incident.deployments()))
                + "\"] \uFEFF"
                + notice.headline()
                + " "
                + Json.write(incident.summary());
    }

    private static String escaped(String text) {
        return text.replaceAll("([\"\\\\\\]])", "\\\\$1").replaceAll("\\p{Cntrl}", " ");
    }
}

package dev.berth.alerts;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** As much of RFC 5321, 3207 and 4954 as it takes to receive a mail after STARTTLS. */
final class StartTlsServer implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0);
    private final SSLContext keys;

    /** What clients said, each line with whether it came encrypted. */
    private final List<String> said = new CopyOnWriteArrayList<>();

    StartTlsServer(SSLContext keys) throws IOException {
        this.keys = keys;
        Thread.ofVirtual().start(this::serve);
    }

    int port() {
        return server.getLocalPort();
    }

    List<String> said() {
        return said;
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket peer = server.accept()) {
                say(peer, "220 localhost ready");
                if (talk(peer, "plain ", "250-localhost\r\n250 STARTTLS")) {
                    try (SSLSocket secure =
                            (SSLSocket)
                                    keys.getSocketFactory()
                                            .createSocket(peer, "localhost", port(), true)) {
                        secure.setUseClientMode(false);
                        boolean ignored =
                                talk(secure, "tls ", "250-localhost\r\n250 AUTH PLAIN LOGIN");
                    }
                }
            } catch (IOException e) {
                // that client has left
            }
        }
    }

    /** Returns whether it wants TLS. */
    private boolean talk(Socket with, String mark, String greeting) throws IOException {
        var in =
                new BufferedReader(
                        new InputStreamReader(with.getInputStream(), StandardCharsets.UTF_8));
        boolean data = false;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            said.add(mark + line);
            String word = line.split("[ :]", 2)[0].toUpperCase(Locale.ROOT);
            if (data) {
                data = !line.equals(".");
                if (!data) {
                    say(with, "250 taken");
                }
            } else if (word.equals("STARTTLS")) {
                say(with, "220 go on");
                return true;
            } else {
                data = word.equals("DATA");
                say(
                        with,
                        switch (word) {
                            case "EHLO" -> greeting;
                            case "AUTH" -> "235 welcome";
                            case "DATA" -> "354 go on";
                            case "QUIT" -> "221 bye";
                            default -> "250 well";
                        });
            }
        }
        return false;
    }

    private static void say(Socket to, String words) throws IOException {
        to.getOutputStream().write((words + "\r\n").getBytes(StandardCharsets.US_ASCII));
        to.getOutputStream().flush();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}

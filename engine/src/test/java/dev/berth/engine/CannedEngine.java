package dev.berth.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A unix socket that answers like an engine would, in the shapes a real one is hard to bring to:
 * silence, half answers, old versions. One answer per connection.
 */
final class CannedEngine implements AutoCloseable {
    /** Answers one request, whose head (lines in lower case) it is given. */
    interface Answer {
        void write(String head, InputStream body, OutputStream out)
                throws IOException, InterruptedException;
    }

    private final ServerSocketChannel server;
    private final Answer answer;
    volatile String version = "1.41";
    final List<String> requests = new CopyOnWriteArrayList<>();

    CannedEngine(Path socket, Answer answer) throws IOException {
        this.answer = answer;
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(this::accept);
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                Thread.ofVirtual().start(() -> serve(channel));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(SocketChannel channel) {
        try (channel) {
            InputStream in = Channels.newInputStream(channel);
            OutputStream out = Channels.newOutputStream(channel);
            String head = head(in);
            requests.add(head.lines().findFirst().orElse(""));
            if (head.startsWith("GET /_ping ")) {
                out.write(ok(version, "OK"));
                return;
            }
            answer.write(head, in, out);
            // Closed with a request half read, a unix socket is reset and takes the answer with it.
            channel.shutdownOutput();
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException | InterruptedException e) {
            // The client hung up, or the test is over.
        }
    }

    static byte[] ok(String apiVersion, String body) {
        return ("HTTP/1.1 200 OK\r\nApi-Version: "
                        + apiVersion
                        + "\r\nConnection: close\r\nContent-Length: "
                        + body.getBytes(StandardCharsets.UTF_8).length
                        + "\r\n\r\n"
                        + body)
                .getBytes(StandardCharsets.UTF_8);
    }

    static byte[] refusal(int status, String body) {
        return ("HTTP/1.1 "
                        + status
                        + " No\r\nConnection: close\r\nContent-Length: "
                        + body.length()
                        + "\r\n\r\n"
                        + body)
                .getBytes(StandardCharsets.UTF_8);
    }

    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.UTF_8).endsWith("\r\n\r\n")) {
            int b = in.read();
            if (b < 0) {
                throw new IOException("no request");
            }
            head.write(b);
        }
        return head.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}

package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.Json;
import dev.berth.wire.AgentRequest;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * As much of a NATS server and a director as a rehearsal needs: one client at a time, mutual TLS. A
 * client that gave up, as one does on a busy machine, may come again.
 */
final class TrainingBus implements AutoCloseable {
    private final ServerSocket socket;
    private final SSLContext tls;
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private final BlockingQueue<OutputStream> client = new LinkedBlockingQueue<>();
    private volatile String ended = "no connection has ended";

    /** A reply subject is used once. */
    private int asked;

    TrainingBus(SSLContext tls) throws IOException {
        this.tls = tls;
        this.socket = new ServerSocket(0, 4, InetAddress.getByName("127.0.0.1"));
        Thread.ofVirtual().start(this::serve);
    }

    String url() {
        return "nats://127.0.0.1:" + socket.getLocalPort();
    }

    /** What the agent published next: subject, a space, payload. */
    BlockingQueue<String> said() {
        return said;
    }

    void ask(String method, Object... arguments) throws IOException, InterruptedException {
        OutputStream out = client.take();
        client.put(out);
        byte[] request =
                Json.write(
                                new AgentRequest(
                                                3,
                                                method,
                                                List.of(arguments),
                                                "director.t.t." + method + "-" + ++asked)
                                        .toTree())
                        .getBytes(UTF_8);
        synchronized (this) {
            out.write(("MSG agent.training 1 " + request.length + "\r\n").getBytes(UTF_8));
            out.write(request);
            out.write("\r\n".getBytes(UTF_8));
            out.flush();
        }
    }

    /** How the last connection came to its end, for the message of a rehearsal that failed. */
    String ended() {
        return ended;
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket plain = socket.accept()) {
                serve(plain);
                ended = "the agent hung up";
            } catch (IOException | InterruptedException e) {
                ended = e.toString();
            }
        }
    }

    private void serve(Socket plain) throws IOException, InterruptedException {
        plain.getOutputStream()
                .write(
                        ("INFO {\"server_id\":\"T\",\"version\":\"2.10.0\",\"proto\":1,\"host\":\"127.0.0.1\","
                                        + "\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"tls_required\":true,"
                                        + "\"tls_verify\":true}\r\n")
                                .getBytes(UTF_8));
        var secure =
                (SSLSocket)
                        tls.getSocketFactory().createSocket(plain, null, plain.getPort(), false);
        secure.setUseClientMode(false);
        secure.setNeedClientAuth(true);
        client.clear();
        talk(new BufferedInputStream(secure.getInputStream()), secure.getOutputStream());
    }

    private void talk(InputStream in, OutputStream out) throws IOException, InterruptedException {
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "PING" -> {
                    synchronized (this) {
                        out.write("PONG\r\n".getBytes(UTF_8));
                        out.flush();
                    }
                }
                case "SUB" -> client.put(out);
                case "PUB" -> {
                    byte[] payload = in.readNBytes(Integer.parseInt(words[words.length - 1]));
                    String ignored = line(in);
                    said.put(words[1] + " " + new String(payload, UTF_8));
                }
                default -> { // CONNECT, PONG
                }
            }
        }
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * As much of a Docker Engine as a rehearsal needs: at most one container, which runs when started.
 */
final class TrainingEngine implements AutoCloseable {
    private final ServerSocketChannel server;
    private Map<String, Object> created = Map.of();
    private boolean running;

    TrainingEngine(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(this::serve);
    }

    private void serve() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                Thread.ofVirtual().start(() -> talk(client));
            }
        } catch (IOException e) {
            // closed: the rehearsal is over
        }
    }

    private void talk(SocketChannel client) {
        try (client) {
            InputStream in = Channels.newInputStream(client);
            OutputStream out = Channels.newOutputStream(client);
            for (String request = line(in); !request.isEmpty(); request = line(in)) {
                int length = 0;
                for (String header = line(in); !header.isEmpty(); header = line(in)) {
                    if (header.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
                        length = Integer.parseInt(header.substring(15).strip());
                    }
                }
                String body = new String(in.readNBytes(length), UTF_8);
                String[] words = request.split(" ");
                answer(words[0], words[1].replaceFirst("^/v[0-9.]+", ""), body, out);
            }
        } catch (IOException e) {
            // the agent hung up
        }
    }

    private void answer(String method, String target, String body, OutputStream out)
            throws IOException {
        String path = target.split("\\?")[0];
        switch (method + " " + path) {
            case "GET /_ping" -> reply(out, 200, "OK");
            case "GET /events" -> {
                out.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                                .getBytes(UTF_8));
                out.flush();
            }
            case "GET /containers/json" -> reply(out, 200, Json.write(list()));
            case "GET /networks", "GET /images/json" -> reply(out, 200, "[]");
            case "POST /networks/create" -> reply(out, 201, "{\"Id\":\"n1\",\"Warning\":\"\"}");
            case "POST /containers/create" -> {
                take(body);
                reply(out, 201, "{\"Id\":\"c1\",\"Warnings\":[]}");
            }
            case "POST /containers/c1/start" -> {
                started();
                reply(out, 204, "");
            }
            case "GET /containers/c1/json" -> reply(out, 200, Json.write(inspected()));
            case "POST /containers/c1/stop", "POST /containers/c1/kill", "DELETE /containers/c1" ->
                    reply(out, 204, "");
            default ->
                    reply(
                            out,
                            path.startsWith("/images/") ? 200 : 404,
                            "{\"Id\":\"sha256:1\",\"RepoDigests\":[],\"Config\":{\"User\":\"\"},\"message\":\"no such thing\"}");
        }
    }

    private synchronized void take(String body) {
        created = Json.object(body);
    }

    private synchronized void started() {
        running = true;
    }

    private synchronized List<Object> list() {
        return created.isEmpty()
                ? List.of()
                : List.of(
                        Json.of(
                                "Id",
                                "c1",
                                "Names",
                                List.of("/db"),
                                "Image",
                                "training",
                                "State",
                                running ? "running" : "created",
                                "Status",
                                "Up 1 second",
                                "Created",
                                1L,
                                "Labels",
                                Fields.of(created, "body").object("Labels").tree(),
                                "Mounts",
                                List.of()));
    }

    private synchronized Map<String, Object> inspected() {
        return Json.of(
                "Id",
                "c1",
                "Name",
                "/db",
                "RestartCount",
                0L,
                "State",
                Json.of(
                        "Status",
                        running ? "running" : "created",
                        "Running",
                        running,
                        "ExitCode",
                        0L,
                        "OOMKilled",
                        false,
                        "StartedAt",
                        "2026-01-01T00:00:00Z",
                        "FinishedAt",
                        "0001-01-01T00:00:00Z"),
                "Config",
                Json.of("Labels", Fields.of(created, "body").object("Labels").tree()));
    }

    private static void reply(OutputStream out, int status, String body) throws IOException {
        String length = status == 204 ? "" : "Content-Length: " + body.length() + "\r\n";
        out.write(
                ("HTTP/1.1 "
                                + status
                                + " OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
                                + length
                                + "\r\n"
                                + body)
                        .getBytes(UTF_8));
        out.flush();
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
        server.close();
    }
}

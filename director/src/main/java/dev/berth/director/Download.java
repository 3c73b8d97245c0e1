package dev.berth.director;

import dev.berth.model.ProblemException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Fetches a file from an outside server for a task: bounded, cancellable, never stuck. */
final class Download {
    private static final Duration CONNECT = Duration.ofSeconds(30);

    /** A server that sends nothing for so long will not go on. */
    private static final Duration STALL = Duration.ofSeconds(60);

    private Download() {}

    /** What to do with the stream; length -1 when the server did not say. */
    @FunctionalInterface
    interface Sink<T> {
        T take(InputStream in, long length) throws IOException;
    }

    static <T> T fetch(String location, TaskContext task, String what, Sink<T> sink)
            throws IOException, InterruptedException {
        try (HttpClient client =
                HttpClient.newBuilder()
                        .connectTimeout(CONNECT)
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .build()) {
            HttpRequest request = HttpRequest.newBuilder(uri(location)).timeout(STALL).build();
            HttpResponse<InputStream> response =
                    client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                if (response.statusCode() != 200) {
                    throw new ProblemException(
                            Failures.UNCLASSIFIED,
                            "Downloading "
                                    + what
                                    + " failed: the server answered "
                                    + response.statusCode());
                }
                long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
                return watched(body, task, in -> sink.take(in, length));
            }
        } catch (IOException e) {
            throw new ProblemException(
                    Failures.UNCLASSIFIED,
                    "Downloading " + what + " failed: " + Failures.message(e));
        }
    }

    private static URI uri(String location) {
        try {
            return URI.create(location);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(40005, "The location is not a valid URL");
        }
    }

    @FunctionalInterface
    private interface Reader<T> {
        T read(InputStream in) throws IOException;
    }

    private static <T> T watched(InputStream body, TaskContext task, Reader<T> reader)
            throws IOException {
        var lastByte = new AtomicLong(System.nanoTime());
        Thread watchdog = Thread.ofVirtual().start(() -> watch(body, lastByte));
        try {
            return reader.read(
                    new FilterInputStream(body) {
                        @Override
                        public int read(byte[] into, int from, int length) throws IOException {
                            task.checkCancelled();
                            int got = super.read(into, from, length);
                            lastByte.set(System.nanoTime());
                            return got;
                        }
                    });
        } finally {
            watchdog.interrupt();
        }
    }

    private static void watch(InputStream body, AtomicLong lastByte) {
        try {
            while (System.nanoTime() - lastByte.get() < STALL.toNanos()) {
                Thread.sleep(1000);
            }
            body.close(); // ends the read that waits
        } catch (InterruptedException | IOException e) {
            Thread.currentThread().interrupt();
        }
    }
}

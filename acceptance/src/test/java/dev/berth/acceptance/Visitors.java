package dev.berth.acceptance;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Asks a web server for its page again and again, each time anew, and remembers what failed. */
final class Visitors implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 10_000;

    private final InetSocketAddress server;
    private final AtomicLong served = new AtomicLong();
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean closed;

    Visitors(String address) {
        server = new InetSocketAddress(address, 80);
        thread = Thread.ofVirtual().name("visitors").start(this::visit);
    }

    private void visit() {
        try {
            while (!closed) {
                ask();
                Thread.sleep(25); // a pace, not a wait
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A connection of its own: one that is kept says nothing about the next visitor. */
    private void ask() {
        try (var socket = new Socket()) {
            socket.connect(server, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
            if (answer.matches("(?s)HTTP/1.. 200 .*")) {
                served.incrementAndGet();
            } else {
                failures.add("'" + answer.lines().findFirst().orElse("") + "'");
            }
        } catch (IOException e) {
            failures.add(e.toString());
        }
    }

    /** Waits until visitors who came after this call were served. */
    void awaitServed() {
        long before = served.get();
        await().atMost(TestEnvironment.SOON).until(() -> served.get() > before + 1);
    }

    /** Nobody was turned away since the first came. */
    void assertServedThroughout() {
        awaitServed();
        assertThat(failures).as("visitors turned away, beside %s served", served).isEmpty();
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}

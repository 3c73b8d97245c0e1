package dev.berth.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Customers who buy one thing after another and remember every confirmation. The longest time
 * without one is what people feel of a failure.
 */
final class DemoCustomers implements AutoCloseable {
    private final List<String> shops;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    private final Set<Long> confirmed = new ConcurrentSkipListSet<>();
    private final AtomicInteger next = new AtomicInteger();
    private final Thread thread;
    private volatile boolean closed;
    private volatile long lastConfirmed = System.nanoTime();
    private volatile long longestWait;
    private volatile long markedAt;
    private volatile boolean sold;

    DemoCustomers(List<String> shops) {
        this.shops = shops;
        this.thread = Thread.ofVirtual().start(this::buy);
    }

    /** Confirmed sales, and how many of them the database no longer has. */
    record Count(int confirmed, int lost) {}

    int confirmed() {
        return confirmed.size();
    }

    /** From here on the waiting counts. */
    void mark() {
        longestWait = 0;
        sold = false;
        markedAt = System.nanoTime();
    }

    /** A sale that was begun after the mark was confirmed. */
    boolean soldSinceMark() {
        return sold;
    }

    long longestWaitSinceMark() {
        return longestWait;
    }

    /** Asks the database for every row and looks for each confirmed one. */
    Count check() {
        Set<Long> asked = new HashSet<>(confirmed);
        for (int attempt = 0; attempt < 50; attempt++) {
            String body = get("/cgi-bin/rows");
            if (body != null) {
                Set<Long> rows = new HashSet<>();
                body.lines()
                        .filter(l -> l.matches("\\d+"))
                        .forEach(l -> rows.add(Long.parseLong(l)));
                int before = asked.size();
                asked.removeAll(rows);
                return new Count(before, asked.size());
            }
            TaskFollower.sleep(200);
        }
        throw new CliException("the shop does not say which rows it has");
    }

    private void buy() {
        while (!closed) {
            long begun = System.nanoTime();
            String body = get("/cgi-bin/add");
            if (body != null && body.strip().matches("\\d+")) {
                confirmed.add(Long.parseLong(body.strip()));
                long now = System.nanoTime();
                longestWait = Math.max(longestWait, now - lastConfirmed);
                lastConfirmed = now;
                sold |= begun > markedAt;
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private @Nullable String get(String path) {
        String shop = shops.get(Math.floorMod(next.getAndIncrement(), shops.size()));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + shop + path))
                        .timeout(Duration.ofSeconds(4))
                        .build();
        try {
            HttpResponse<String> response =
                    http.send(request, HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == 200 ? response.body() : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        http.shutdownNow();
    }
}

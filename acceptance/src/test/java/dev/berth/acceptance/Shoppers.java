package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Buy one thing after another in the example's shop and remember each row number they were given: a
 * number is only answered after the database has committed.
 */
final class Shoppers implements AutoCloseable {
    private final Supplier<List<String>> shops;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    private final Set<Long> acknowledged = new ConcurrentSkipListSet<>();
    private final AtomicInteger turn = new AtomicInteger();
    private final Thread thread;
    private volatile boolean closed;

    /**
     * @param shops addresses of the web servers, as they are now
     */
    Shoppers(Supplier<List<String>> shops) {
        this.shops = shops;
        this.thread = Thread.ofVirtual().name("shoppers").start(this::buy);
    }

    /** Waits until something that was asked for after this call is sold. */
    void awaitSales() {
        int before = acknowledged.size();
        // Two more: the first may have been on its way already.
        await().atMost(TestEnvironment.SOON).until(() -> acknowledged.size() > before + 1);
    }

    /** Every row that was ever acknowledged is in the database. */
    void assertNothingLost() {
        var missing = new HashSet<>(acknowledged);
        String rows =
                await().atMost(TestEnvironment.SOON)
                        .until(() -> get("/cgi-bin/rows"), answer -> answer != null);
        if (rows != null) {
            rows.lines()
                    .filter(line -> line.matches("\\d+"))
                    .forEach(line -> missing.remove(Long.parseLong(line)));
        }
        assertThat(missing).as("lost of %s acknowledged rows", acknowledged.size()).isEmpty();
    }

    int acknowledged() {
        return acknowledged.size();
    }

    private void buy() {
        try {
            while (!closed) {
                String answer = get("/cgi-bin/add");
                if (answer != null && answer.strip().matches("\\d+")) {
                    acknowledged.add(Long.parseLong(answer.strip()));
                }
                Thread.sleep(30); // a pace, not a wait: shoppers must not take the whole machine
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private @Nullable String get(String path) {
        List<String> now = shops.get();
        String shop = now.get(Math.floorMod(turn.getAndIncrement(), now.size()));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + shop + path))
                        .timeout(Duration.ofSeconds(4))
                        .build();
        try {
            var answer = http.send(request, BodyHandlers.ofString());
            return answer.statusCode() == 200 ? answer.body() : null;
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

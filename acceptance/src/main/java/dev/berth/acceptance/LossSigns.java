package dev.berth.acceptance;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What people and the task list see of a loss, beside the benchmark's own question after the data:
 * a webhook of this process that the environment's alerts go to, and the repair's row. One owner.
 */
final class LossSigns implements AutoCloseable {
    private static final int LONGEST_SECONDS = 30;

    /** Longer than an alert that is to be told waits for the end of its cause. */
    private static final int NONE_AFTER_SECONDS = 5;

    /** When an alert was delivered, and what it said. */
    private record Delivered(Instant at, String action) {}

    /**
     * @param told null: it was over before it was an alert
     */
    private record Signs(String how, double begun, @Nullable Double told, double served) {}

    private final BenchEnvironment environment;
    private final HttpServer server;
    private final ConcurrentLinkedQueue<Delivered> delivered = new ConcurrentLinkedQueue<>();
    private final List<Signs> signs = new ArrayList<>();

    /** Alerts go here from now on. */
    LossSigns(BenchEnvironment environment) throws IOException {
        this.environment = environment;
        server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
        server.createContext("/", this::take);
        server.start();
        Path config = environment.home().resolve("bench-alerts.yml");
        Files.writeString(
                config,
                // One VM lost over and over would count as one that comes and goes.
                "timing: {flap_times: 100}\nsinks:\n- {name: bench, type: webhook, url: \"http://127.0.0.1:"
                        + server.getAddress().getPort()
                        + "/\"}\n");
        environment.berth("update-config", "-n", "--type", "alerts", config.toString());
    }

    private void take(HttpExchange exchange) throws IOException {
        Instant at = Clock.systemUTC().instant();
        byte[] body = exchange.getRequestBody().readAllBytes();
        String action = Fields.of(Json.object(body), "notice").string("action", "");
        delivered.add(new Delivered(at, action));
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
    }

    /**
     * After a loss that is over.
     *
     * @param how the runs were made, at the end of their names; empty: as usual
     * @param at when the VM was removed
     * @param begun when its repair was asked for
     */
    void note(String how, Instant at, Instant begun, Instant served) {
        BenchTools.await(
                "the alert",
                LONGEST_SECONDS,
                20,
                () ->
                        opened(at) != null
                                || seconds(served, Clock.systemUTC().instant())
                                        > NONE_AFTER_SECONDS);
        Delivered open = opened(at);
        signs.add(
                new Signs(
                        how,
                        seconds(at, begun),
                        open == null ? null : seconds(at, open.at()),
                        seconds(at, served)));
        if (open != null) {
            awaitEnd(open.at());
        }
    }

    /** The next loss is to be an alert of its own and no part of this one. */
    private void awaitEnd(Instant told) {
        BenchTools.await(
                "the alert's end",
                600,
                50,
                () ->
                        delivered.stream()
                                .anyMatch(
                                        d -> d.at().isAfter(told) && d.action().equals("resolve")));
    }

    private @Nullable Delivered opened(Instant since) {
        return delivered.stream()
                .filter(d -> d.at().isAfter(since) && d.action().equals("open"))
                .findFirst()
                .orElse(null);
    }

    private static double seconds(Instant from, Instant to) {
        return Duration.between(from, to).toMillis() / 1e3;
    }

    List<BenchResult> results() {
        var results = new ArrayList<BenchResult>();
        for (String how : signs.stream().map(Signs::how).distinct().toList()) {
            results.add(
                    result(
                            "VM removed, repair begun",
                            how,
                            Signs::begun,
                            "until the repair's task was queued"));
            List<Double> told = of(how, Signs::told);
            if (!told.isEmpty()) {
                results.add(
                        result(
                                "VM removed, alert delivered",
                                how,
                                Signs::told,
                                "until a webhook had the alert, in "
                                        + told.size()
                                        + " of "
                                        + of(how, Signs::begun).size()
                                        + " runs; an alert is told when somebody has been down for"
                                        + " 2 s, and none of what is over by then"));
            }
            results.add(
                    result(
                            "VM removed, data served again, as these",
                            how,
                            Signs::served,
                            "the same runs; swarm 9.7 to 20 s without data, the reference by its"
                                    + " defaults 212 s"));
        }
        return results;
    }

    private List<Double> of(String how, Function<Signs, @Nullable Double> what) {
        var values = new ArrayList<Double>();
        for (Signs s : signs) {
            Double value = what.apply(s);
            if (s.how().equals(how) && value != null) {
                values.add(value);
            }
        }
        return values;
    }

    private BenchResult result(
            String name, String how, Function<Signs, @Nullable Double> of, String method) {
        List<Double> values = of(how, of);
        Map<String, Double> parts = new LinkedHashMap<>();
        parts.put("95th percentile", FleetBenchmark.percentile(values, 95));
        return new BenchResult(name + how, "s", new Samples(values), null, "", method, parts);
    }

    @Override
    public void close() {
        environment.berth("delete-config", "-n", "--type", "alerts");
        server.stop(0);
    }
}

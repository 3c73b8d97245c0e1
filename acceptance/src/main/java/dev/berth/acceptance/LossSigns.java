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
import java.util.function.ToDoubleFunction;

/**
 * What people and the task list see of a loss, beside the benchmark's own question after the data:
 * a webhook of this process that the environment's alerts go to, and the repair's row. One owner.
 */
final class LossSigns implements AutoCloseable {
    private static final int LONGEST_SECONDS = 30;

    /** When an alert was delivered, and what it said. */
    private record Delivered(Instant at, String action) {}

    private record Signs(String how, double begun, double told, double served) {}

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
        BenchTools.await("the alert", LONGEST_SECONDS, 20, () -> opened(at) != null);
        Instant told = java.util.Objects.requireNonNull(opened(at)).at();
        signs.add(new Signs(how, seconds(at, begun), seconds(at, told), seconds(at, served)));
        // The next loss is to be an alert of its own and no part of this one.
        BenchTools.await(
                "the alert's end",
                600,
                50,
                () ->
                        delivered.stream()
                                .anyMatch(
                                        d -> d.at().isAfter(told) && d.action().equals("resolve")));
    }

    private @org.jspecify.annotations.Nullable Delivered opened(Instant since) {
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
            results.add(
                    result(
                            "VM removed, alert delivered",
                            how,
                            Signs::told,
                            "until a webhook had the alert; an alert is told when somebody has"
                                    + " been down for 2 s"));
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

    private BenchResult result(String name, String how, ToDoubleFunction<Signs> of, String method) {
        List<Double> values =
                signs.stream().filter(s -> s.how().equals(how)).mapToDouble(of).boxed().toList();
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

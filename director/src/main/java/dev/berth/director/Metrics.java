package dev.berth.director;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * What a Prometheus asks for: counted while it happens, or looked up when asked. Each director has
 * its own. Thread-safe.
 */
final class Metrics {
    static final String TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;
    private static final double NANOS = 1e9;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Histogram steps;
    private final Histogram writes;
    private final Counter repairs;

    Metrics() {
        steps =
                Histogram.builder()
                        .name("berth_step_seconds")
                        .help("Steps of tasks that have ended, by kind and outcome.")
                        .labelNames("kind", "outcome")
                        .classicOnly()
                        .classicUpperBounds(0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 1800)
                        .register(registry);
        writes =
                Histogram.builder()
                        .name("berth_store_write_seconds")
                        .help("Transactions that wrote to the store.")
                        .classicOnly()
                        .classicUpperBounds(0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10)
                        .register(registry);
        repairs =
                Counter.builder()
                        .name("berth_repairs")
                        .help("Repairs that the monitor asked for, as they ended.")
                        .labelNames("outcome")
                        .register(registry);
    }

    /** Takes the value of one metric, with the values of its labels. */
    @FunctionalInterface
    interface Values {
        void add(double value, String... labels);
    }

    /** A value that is looked up when asked. */
    Metrics gauge(String name, String help, Consumer<Values> look, String... labels) {
        GaugeWithCallback.builder()
                .name("berth_" + name)
                .help(help)
                .labelNames(labels)
                .callback(callback -> look.accept(callback::call))
                .register(registry);
        return this;
    }

    /** A count that others keep. */
    Metrics counter(String name, String help, Consumer<Values> look, String... labels) {
        CounterWithCallback.builder()
                .name("berth_" + name)
                .help(help)
                .labelNames(labels)
                .callback(callback -> look.accept(callback::call))
                .register(registry);
        return this;
    }

    /**
     * @param outcome of the journal; all failures are one
     */
    void step(String kind, String outcome, long nanos) {
        String word = outcome.equals(Journal.DONE) ? "done" : "failed";
        steps.labelValues(kind, word).observe(nanos / NANOS);
    }

    void wrote(long nanos) {
        writes.observe(nanos / NANOS);
    }

    void repaired(boolean succeeded) {
        repairs.labelValues(succeeded ? "done" : "failed").inc();
    }

    /** In Prometheus's text format. */
    String text() throws IOException {
        var out = new ByteArrayOutputStream();
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
        return out.toString(StandardCharsets.UTF_8);
    }
}

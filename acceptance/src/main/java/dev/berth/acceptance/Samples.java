package dev.berth.acceptance;

import dev.berth.model.Json;
import java.util.List;
import java.util.Map;

/** What the runs of one side of a benchmark gave, in the benchmark's unit. Never empty. */
record Samples(List<Double> values) {
    Samples {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("a benchmark without a run says nothing");
        }
        values = List.copyOf(values);
    }

    static Samples of(double value) {
        return new Samples(List.of(value));
    }

    double median() {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(middle)
                : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double min() {
        return values.stream().mapToDouble(v -> v).min().orElseThrow();
    }

    double max() {
        return values.stream().mapToDouble(v -> v).max().orElseThrow();
    }

    Map<String, Object> tree() {
        return Json.of("median", median(), "min", min(), "max", max(), "runs", List.copyOf(values));
    }
}

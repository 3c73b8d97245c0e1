package dev.berth.acceptance;

import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of the benchmarks' table.
 *
 * @param unit of all figures: {@code s}, {@code MB}, {@code %}
 * @param baseline the same work without Berth, in the same run; null: there is none
 * @param target of the design, in its words
 * @param parts what the time of Berth's median was spent on, in order
 */
record BenchResult(
        String name,
        String unit,
        Samples berth,
        @Nullable Samples baseline,
        String target,
        String method,
        Map<String, Double> parts) {

    @Nullable Double ratio() {
        return baseline == null ? null : berth.median() / baseline.median();
    }

    Map<String, Object> tree() {
        Map<String, Object> tree =
                Json.of("name", name, "unit", unit, "berth", berth.tree(), "target", target);
        if (baseline != null) {
            tree.put("baseline", baseline.tree());
            tree.put("ratio", berth.median() / baseline.median());
        }
        tree.put("method", method);
        if (!parts.isEmpty()) {
            tree.put("parts", new LinkedHashMap<String, Object>(parts));
        }
        return tree;
    }

    /** The median of each part over several runs, in the order of the first. */
    static Map<String, Double> medians(List<Map<String, Double>> runs) {
        var all = new LinkedHashMap<String, List<Double>>();
        runs.forEach(run ->
                run.forEach((part, value) ->
                        all.computeIfAbsent(part, p -> new ArrayList<>()).add(value)));
        var result = new LinkedHashMap<String, Double>();
        all.forEach((part, values) -> result.put(part, new Samples(values).median()));
        return result;
    }
}

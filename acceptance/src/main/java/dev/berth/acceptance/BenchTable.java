package dev.berth.acceptance;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The benchmarks as text for people. */
final class BenchTable {
    private static final List<String> HEAD =
            List.of("Benchmark", "Berth", "Spread", "Baseline", "Ratio", "Target");

    private BenchTable() {}

    static String text(List<BenchResult> results) {
        var rows = new ArrayList<List<String>>();
        rows.add(HEAD);
        results.forEach(r -> rows.add(row(r)));
        int[] widths = new int[HEAD.size()];
        rows.forEach(row -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        });
        var out = new StringBuilder();
        rows.forEach(row -> out.append(line(row, widths)).append('\n'));
        out.append('\n');
        results.forEach(r -> out.append(notes(r)));
        return out.toString();
    }

    private static List<String> row(BenchResult r) {
        Samples baseline = r.baseline();
        Double ratio = r.ratio();
        return List.of(
                r.name(),
                figure(r.berth().median(), r.unit()),
                number(r.berth().min(), r.unit()) + " to " + number(r.berth().max(), r.unit()),
                baseline == null ? "" : figure(baseline.median(), r.unit()),
                ratio == null ? "" : String.format(Locale.ROOT, "%.2f", ratio),
                r.target());
    }

    private static String line(List<String> row, int[] widths) {
        var line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(String.format(Locale.ROOT, "%-" + widths[i] + "s", row.get(i)))
                    .append("  ");
        }
        return line.toString().stripTrailing();
    }

    private static String notes(BenchResult r) {
        String parts =
                r.parts().entrySet().stream()
                        .map(p -> p.getKey() + " " + part(p))
                        .collect(Collectors.joining(", "));
        return r.name() + ": " + r.method() + "\n" + (parts.isEmpty() ? "" : "    " + parts + "\n");
    }

    /** Parts name their unit where it is not seconds. */
    private static String part(Map.Entry<String, Double> part) {
        return part.getKey().endsWith(")")
                ? String.format(Locale.ROOT, "%.0f", part.getValue())
                : String.format(Locale.ROOT, "%.2f s", part.getValue());
    }

    private static String figure(double value, String unit) {
        return number(value, unit) + " " + unit;
    }

    private static String number(double value, String unit) {
        String format =
                switch (unit) {
                    case "s", "%" -> "%.2f";
                    case "ms" -> "%.1f";
                    default -> "%.0f";
                };
        return String.format(Locale.ROOT, format, value);
    }
}

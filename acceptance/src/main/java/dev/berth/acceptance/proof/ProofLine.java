package dev.berth.acceptance.proof;

import dev.berth.model.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What all runs of one fault did to one database. */
final class ProofLine {
    private static final String FORMAT = "%-55s %-10s %5s %8s %8s %6s %6s %9s %8s %7s %7s%n";

    private final Fault fault;
    private final String database;
    private final int before;
    private final List<Duration> waits = new ArrayList<>();
    private Finding worst = Finding.NOTHING;
    private int acknowledged;

    private ProofLine(Fault fault, String database, int before) {
        this.fault = fault;
        this.database = database;
        this.before = before;
    }

    static ProofLine begin(Fault fault, Writer writer) {
        return new ProofLine(fault, writer.name(), writer.count());
    }

    void add(Finding finding, Duration wait) {
        waits.add(wait);
        acknowledged = finding.acknowledged() - before;
        worst =
                new Finding(
                        finding.acknowledged(),
                        finding.doubtful(),
                        Math.max(worst.lost(), finding.lost()),
                        Math.max(worst.twice(), finding.twice()),
                        Math.max(worst.disordered(), finding.disordered()),
                        Math.max(worst.invented(), finding.invented()));
    }

    /** The most of each kind that any of the checks found. */
    Finding worst() {
        return worst;
    }

    private double waited(double share) {
        List<Duration> sorted = waits.stream().sorted().toList();
        int at = (int) Math.ceil(share * sorted.size()) - 1;
        return sorted.isEmpty() ? 0 : sorted.get(Math.max(0, at)).toMillis() / 1e3;
    }

    Map<String, Object> tree() {
        return Json.of(
                "fault",
                fault.name(),
                "what",
                fault.what(),
                "database",
                database,
                "runs",
                waits.size(),
                "acknowledged",
                acknowledged,
                "acknowledged_in_all",
                worst.acknowledged(),
                "in_doubt_in_all",
                worst.doubtful(),
                "lost",
                worst.lost(),
                "twice",
                worst.twice(),
                "disordered",
                worst.disordered(),
                "never_sent",
                worst.invented(),
                "wait_median_seconds",
                waited(0.5),
                "wait_longest_seconds",
                waited(1));
    }

    /** For those who wait. */
    String text() {
        return "%s, %s: %d runs, %d written, %d damaged, waited %s, at most %s"
                .formatted(
                        fault.name(),
                        database,
                        waits.size(),
                        acknowledged,
                        worst.lost() + worst.twice() + worst.disordered() + worst.invented(),
                        seconds(waited(0.5)),
                        seconds(waited(1)));
    }

    static String table(List<ProofLine> lines) {
        var text = new StringBuilder();
        text.append(
                FORMAT.formatted(
                        "Fault",
                        "Database",
                        "Runs",
                        "Written",
                        "In all",
                        "Lost",
                        "Twice",
                        "Disorder",
                        "Unsent",
                        "Wait",
                        "Longest"));
        for (ProofLine line : lines) {
            Finding worst = line.worst;
            text.append(
                    FORMAT.formatted(
                            line.fault.what(),
                            line.database,
                            line.waits.size(),
                            line.acknowledged,
                            worst.acknowledged(),
                            worst.lost(),
                            worst.twice(),
                            worst.disordered(),
                            worst.invented(),
                            seconds(line.waited(0.5)),
                            seconds(line.waited(1))));
        }
        return text.append(
                        """

                        Written: numbers acknowledged by the database during these runs; after each run all that were ever acknowledged
                        (In all) are looked for. Wait: the longest time between two acknowledgements in a run; median and longest.
                        """)
                .toString();
    }

    private static String seconds(double value) {
        return String.format(Locale.ROOT, "%.1f s", value);
    }
}

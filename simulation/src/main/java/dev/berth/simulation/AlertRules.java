package dev.berth.simulation;

import dev.berth.alerts.Incident;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What people are told: each alert opened once and resolved once, and none left open when nothing
 * is wrong any more.
 */
final class AlertRules {
    private static final int MOST = 100_000;

    private final Ledgers.Check check;

    AlertRules(Ledgers.Check check) {
        this.check = check;
    }

    void atRest(StoreSession s) {
        Map<String, Integer> opened = new HashMap<>();
        Map<String, Integer> resolved = new HashMap<>();
        for (Rows.Event event : s.events(null, null, MOST)) {
            if (event.objectType().equals("alert")) {
                Map<String, Integer> counts =
                        switch (event.action()) {
                            case "create" -> opened;
                            case "resolve" -> resolved;
                            default -> new HashMap<>();
                        };
                counts.merge(String.valueOf(event.objectName()), 1, Integer::sum);
            }
        }
        opened.forEach((number, times) ->
                check.that(
                        "alerts", times == 1, "alert " + number + " opened " + times + " times"));
        resolved.forEach((number, times) ->
                check.that(
                        "alerts",
                        times == 1 && opened.containsKey(number),
                        "alert " + number + " resolved " + times + " times"));
        for (Rows.Alert row : s.alerts(List.of("open", "acknowledged"), MOST)) {
            Incident incident = Incident.fromTree(row.content());
            // One that comes and goes is left alone until it has been quiet for five minutes.
            check.that(
                    "alerts",
                    incident.quietAt() != null,
                    "all is well, and alert " + row.number() + " is open: " + incident.title());
        }
    }
}

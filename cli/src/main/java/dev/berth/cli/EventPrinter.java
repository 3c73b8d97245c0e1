package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Shows the event lines of one task as the stock CLI does: a step's start, what it is at and its
 * end share a line for as long as no other step speaks in between. Not for several threads.
 */
final class EventPrinter {
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter FULL =
            DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss 'UTC' yyyy", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final Screen screen;
    private final long task;
    private final Map<Step, Long> begun = new HashMap<>();
    private final StringBuilder open = new StringBuilder();
    private @Nullable Step last;
    private @Nullable String lastStatus;
    private @Nullable Long first;
    private long latest;

    EventPrinter(Screen screen, long task) {
        this.screen = screen;
        this.task = task;
    }

    /** Lines of one step agree in these three. */
    private record Step(String stage, List<String> tags, String name) {
        String text() {
            return stage + (tags.isEmpty() ? "" : " " + String.join(", ", tags)) + ": " + name;
        }
    }

    /** Takes one line of the event output; what is not an event is passed over. */
    void accept(String line) {
        if (line.isBlank()) {
            return;
        }
        Fields event;
        try {
            event = Fields.of(Json.parse(line), "event");
        } catch (IllegalArgumentException e) {
            return;
        }
        long at = event.integer("time", 0);
        String prefix = "Task " + task + " | " + CLOCK.format(Instant.ofEpochSecond(at)) + " | ";
        if (event.has("error")) {
            trouble(prefix, "Error: " + event.object("error").string("message", ""));
        } else if (event.has("type")) {
            boolean old = event.string("type").equals("deprecation");
            trouble(prefix, (old ? "Deprecation: " : "Warning: ") + event.string("message", ""));
        } else if (event.has("stage")) {
            step(prefix, at, event);
        } else {
            return;
        }
        first = first == null ? at : first;
        latest = at;
    }

    private void trouble(String prefix, String text) {
        close();
        screen.part(prefix + screen.red(text));
        open.append(prefix).append(text);
        close();
        last = null;
    }

    private void step(String prefix, long at, Fields event) {
        var step = new Step(event.string("stage"), event.strings("tags"), event.string("task", ""));
        String state = event.string("state", "");
        if (state.equals("started")) {
            begun.put(step, at);
        }
        if (!step.equals(last)) {
            close();
            add(prefix + step.text());
            lastStatus = null;
        }
        last = step;
        switch (state) {
            case "in_progress" -> status(prefix, step, event.object("data").string("status", ""));
            case "finished" -> add(" (" + since(step, at) + ")");
            case "failed" -> {
                add(" (" + since(step, at) + ")");
                close();
                String error = event.object("data").string("error", "");
                String indent = " ".repeat(prefix.length() - 2);
                screen.part(indent + screen.red("L Error: " + error));
                open.append(indent).append("L Error: ").append(error);
            }
            default -> {}
        }
    }

    private void status(String prefix, Step step, String status) {
        if (!status.isEmpty() && !status.equals(lastStatus)) {
            close();
            add(prefix + "L " + status + ": " + step.name());
            lastStatus = status;
        }
    }

    private void add(String text) {
        screen.part(text);
        open.append(text);
    }

    private void close() {
        if (!open.isEmpty()) {
            screen.part(System.lineSeparator());
            screen.block(open.toString());
            open.setLength(0);
        }
    }

    private String since(Step step, long at) {
        return duration(at - begun.getOrDefault(step, at));
    }

    /** Ends the last line; on a terminal a summary of the times follows. */
    void finish() {
        close();
        Long start = first;
        if (start != null && screen.isTerminal()) {
            screen.line("");
            screen.line("Task " + task + " Started  " + full(start));
            screen.line("Task " + task + " Finished " + full(latest));
            screen.line("Task " + task + " Duration " + duration(latest - start));
        }
    }

    boolean saidNothing() {
        return first == null;
    }

    /** {@code Sun Nov 22 04:57:09 UTC 2026}. */
    static String full(long unixSeconds) {
        return FULL.format(Instant.ofEpochSecond(unixSeconds));
    }

    private static String duration(long seconds) {
        Duration d = Duration.ofSeconds(Math.max(0, seconds));
        return String.format("%02d:%02d:%02d", d.toHours(), d.toMinutesPart(), d.toSecondsPart());
    }
}

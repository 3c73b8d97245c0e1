package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Follows a task and shows its event lines as the stock CLI does. */
final class TaskFollower {
    private static final Set<String> RUNNING = Set.of("queued", "processing", "cancelling");
    private static final Duration POLL = Duration.ofMillis(200);
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");

    private final Api api;
    private final Screen screen;
    private final Map<String, Long> startedAt = new HashMap<>();
    private @Nullable String lastStep;
    private boolean lineOpen;

    TaskFollower(Api api, Screen screen) {
        this.api = api;
        this.screen = screen;
    }

    /** How a task ended. */
    record End(long id, String state, String result) {
        boolean done() {
            return state.equals("done");
        }
    }

    /** What to print while following: nothing, event lines for people, or the output as it is. */
    enum Show {
        NOTHING,
        EVENTS,
        RAW
    }

    /** Shows events until the task ends; a task that did not succeed is a {@link CliException}. */
    void succeed(long task) {
        End end = follow(task, "event", Show.EVENTS);
        if (!end.done()) {
            throw new CliException(
                    "expected task '"
                            + task
                            + "' to succeed but its state is '"
                            + end.state()
                            + "'");
        }
    }

    /** Waits in silence and returns the task's result output. */
    String resultOf(long task) {
        End end = follow(task, "event", Show.NOTHING);
        if (!end.done()) {
            throw new CliException(
                    "task '" + task + "' ended with state '" + end.state() + "': " + end.result());
        }
        return api.raw("GET", "/tasks/" + task + "/output?type=result", null, null, Map.of())
                .body();
    }

    End follow(long task, String type, Show show) {
        if (show == Show.EVENTS && screen.isTerminal()) {
            screen.line("Task " + task);
            screen.line("");
        }
        int offset = 0;
        var pending = new StringBuilder();
        long pause = 20;
        while (true) {
            Fields state = Fields.of(api.object("/tasks/" + task), "task");
            boolean ended = !RUNNING.contains(state.string("state"));
            if (show != Show.NOTHING) {
                String more = outputFrom(task, type, offset);
                offset += more.getBytes(StandardCharsets.UTF_8).length;
                show(show, pending.append(more));
            }
            if (ended) {
                if (show == Show.EVENTS) {
                    closeLine();
                    footer(state);
                }
                return new End(task, state.string("state"), state.string("result", ""));
            }
            pause = Math.min(POLL.toMillis(), pause * 2);
            sleep(pause);
        }
    }

    private String outputFrom(long task, String type, int offset) {
        Api.Answer answer =
                api.raw(
                        "GET",
                        "/tasks/" + task + "/output?type=" + type,
                        null,
                        null,
                        Map.of("Range", "bytes=" + offset + "-"));
        return switch (answer.status()) {
            case 206 -> answer.body();
            case 200 -> offset == 0 ? answer.body() : "";
            case 204, 416 -> "";
            default ->
                    throw new CliException(
                            "reading the task's output failed: "
                                    + answer.status()
                                    + " "
                                    + answer.body().strip());
        };
    }

    private void show(Show show, StringBuilder pending) {
        int end;
        while ((end = pending.indexOf("\n")) >= 0) {
            String line = pending.substring(0, end);
            pending.delete(0, end + 1);
            if (line.isBlank()) {
                continue;
            }
            if (show == Show.EVENTS) {
                event(Fields.of(Json.parse(line), "event"));
            } else {
                screen.line(line);
            }
        }
    }

    private void event(Fields event) {
        String time =
                TIME.format(
                        LocalTime.ofInstant(
                                Instant.ofEpochSecond(event.integer("time", 0)), ZoneOffset.UTC));
        if (event.has("error")) {
            note(time, "Error: " + event.object("error").string("message", ""));
        } else if (event.has("type")) {
            note(
                    time,
                    (event.string("type").equals("deprecation") ? "Deprecation: " : "Warning: ")
                            + event.string("message", ""));
        } else if (event.has("stage")) {
            step(time, event);
        }
    }

    private void note(String time, String text) {
        closeLine();
        screen.line(time + " | " + text);
        lastStep = null;
    }

    private void step(String time, Fields event) {
        String tags = String.join(", ", event.strings("tags"));
        String name =
                event.string("stage")
                        + (tags.isEmpty() ? "" : " " + tags)
                        + ": "
                        + event.string("task", "");
        long at = event.integer("time", 0);
        switch (event.string("state", "")) {
            case "started" -> {
                startedAt.put(name, at);
                open(time, name);
            }
            case "in_progress" -> {
                closeLine();
                screen.line(time + " | " + name + ": " + event.object("data").string("status", ""));
                lastStep = null;
            }
            case "finished", "failed" -> {
                if (!lineOpen || !name.equals(lastStep)) {
                    open(time, name);
                }
                Duration took =
                        Duration.ofSeconds(Math.max(0, at - startedAt.getOrDefault(name, at)));
                screen.part(" (" + clock(took) + ")");
                closeLine();
                String error = event.object("data").optionalString("error");
                if (error != null) {
                    screen.line("            L Error: " + error);
                }
            }
            default -> {}
        }
    }

    private void open(String time, String name) {
        closeLine();
        screen.part(time + " | " + name);
        lineOpen = true;
        lastStep = name;
    }

    private void closeLine() {
        if (lineOpen) {
            screen.part(System.lineSeparator());
            lineOpen = false;
        }
    }

    private void footer(Fields task) {
        if (screen.isTerminal()) {
            screen.line("");
            screen.line("Task " + task.integer("id") + " " + task.string("state"));
        }
    }

    static String clock(Duration d) {
        return String.format("%02d:%02d:%02d", d.toHours(), d.toMinutesPart(), d.toSecondsPart());
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted; the task goes on in the director");
        }
    }
}

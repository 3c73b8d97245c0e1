package dev.berth.cli;

import dev.berth.model.Fields;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Follows a task of the director to its end; interrupted, it leaves the task alone and says so. */
final class TaskFollower {
    private static final Set<String> RUNNING = Set.of("queued", "processing", "cancelling");
    private static final Duration POLL = Duration.ofMillis(200);

    /** A director that is being started again takes seconds; its tasks go on where they were. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Api api;
    private final Screen screen;

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

    /** Shows events until the task ends; a task that did not succeed is a {@link CliException}. */
    void succeed(long task) {
        End end = events(task);
        if (!end.done()) {
            throw new CliException(failure(end));
        }
    }

    static String failure(End end) {
        return "Expected task '"
                + end.id()
                + "' to succeed but its state is '"
                + end.state()
                + "'; its log: berth task "
                + end.id()
                + " --debug";
    }

    /** Waits in silence. */
    End follow(long task) {
        return follow(task, () -> {});
    }

    /** Waits in silence and returns the task's result output. */
    String resultOf(long task) {
        End end = follow(task);
        if (!end.done()) {
            throw new CliException(failure(events(task))); // it has ended: this shows what it said
        }
        return api.raw("GET", "/tasks/" + task + "/output?type=result", null, null, Map.of())
                .body();
    }

    /** Shows the events until the task ends. */
    End events(long task) {
        var printer = new EventPrinter(screen, task);
        var pending = new StringBuilder();
        screen.part(screen.isTerminal() ? "Task " + task : "");
        Thread goodbye = new Thread(() -> goodbye(task));
        Runtime.getRuntime().addShutdownHook(goodbye);
        End end =
                follow(
                        task,
                        "event",
                        text -> {
                            if (screen.isTerminal() && printer.saidNothing() && pending.isEmpty()) {
                                screen.line(System.lineSeparator());
                            }
                            eachLine(pending.append(text), printer::accept);
                        });
        Runtime.getRuntime().removeShutdownHook(goodbye);
        printer.finish();
        if (screen.isTerminal() && printer.saidNothing()) {
            String state = end.state();
            screen.line(". " + Character.toUpperCase(state.charAt(0)) + state.substring(1));
        } else {
            screen.note("Task " + task + " " + end.state());
        }
        return end;
    }

    /** Shows another output as it is: it is for reading, not for parsing by a person's eye. */
    End raw(long task, String type) {
        return follow(task, type, screen::part);
    }

    private static void goodbye(long task) {
        System.err.println(
                System.lineSeparator()
                        + "Task "
                        + task
                        + " goes on in the director; follow it: berth task "
                        + task
                        + ", stop it: berth cancel-task "
                        + task);
    }

    private static void eachLine(StringBuilder pending, Consumer<String> action) {
        int end;
        while ((end = pending.indexOf("\n")) >= 0) {
            action.accept(pending.substring(0, end));
            pending.delete(0, end + 1);
        }
    }

    private End follow(long task, String type, Consumer<String> show) {
        var seen = new AtomicInteger();
        return follow(
                task,
                () -> {
                    String more = patiently(() -> outputFrom(task, type, seen.get()));
                    seen.addAndGet(more.getBytes(StandardCharsets.UTF_8).length);
                    if (!more.isEmpty()) {
                        show.accept(more);
                    }
                });
    }

    /**
     * Looks at the task until it has ended.
     *
     * @param meanwhile once more after the end was seen, when all output is written
     */
    private End follow(long task, Runnable meanwhile) {
        long pause = 20;
        while (true) {
            Fields state = patiently(() -> Fields.of(api.object("/tasks/" + task), "task"));
            boolean ended = !RUNNING.contains(state.string("state"));
            meanwhile.run();
            if (ended) {
                return new End(task, state.string("state"), state.string("result", ""));
            }
            pause = Math.min(POLL.toMillis(), pause * 2);
            sleep(pause);
        }
    }

    /** A lost connection is tried again: looking twice changes nothing. */
    private static <T> T patiently(Supplier<T> look) {
        long giveUp = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return look.get();
            } catch (Api.Unreachable e) {
                if (System.nanoTime() > giveUp) {
                    throw e;
                }
                sleep(POLL.toMillis());
            }
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
                            "the director does not show the task's output: " + answer.body());
        };
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }
}

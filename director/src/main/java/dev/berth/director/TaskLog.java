package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What a task tells: event lines as the BOSH CLI reads them, a debug log, the log of CPI calls and
 * result lines. Every text passes the {@link Redaction} first. Thread-safe; never fails the task.
 */
public final class TaskLog {
    /** Longer messages are cut: an error may repeat a whole answer of a cloud. */
    private static final int LONGEST_MESSAGE = 32 * 1024;

    private static final int LONGEST_DEBUG_LINE = 64 * 1024;

    private final TaskOutput output;
    private final Clock clock;
    private final Redaction redaction = new Redaction();
    private volatile boolean stopping;

    TaskLog(TaskOutput output, Clock clock) {
        this.output = output;
        this.clock = clock;
    }

    /** A log that writes into a folder: for callers that run a job without {@link Tasks}. */
    public static TaskLog into(Path folder, Clock clock) {
        return new TaskLog(new TaskOutput(folder), clock);
    }

    /** The value appears in nothing this task writes from now on. */
    public void hide(String secret) {
        redaction.hide(secret);
    }

    /** The text without the secrets this log knows. */
    String redacted(String text) {
        return redaction.apply(text);
    }

    /** Begins a stage of {@code total} steps; nothing is written before its first step. */
    public Stage stage(String name, List<String> tags, int total) {
        return new Stage(name, List.copyOf(tags), total);
    }

    public void warning(String message) {
        output.line(TaskOutput.Kind.EVENT, line(note("warning", message)));
    }

    public void deprecation(String message) {
        output.line(TaskOutput.Kind.EVENT, line(note("deprecation", message)));
    }

    /** The line a failed or cancelled task ends with. */
    void error(int code, String message) {
        Map<String, Object> error = Json.of("code", code, "message", clean(message));
        output.line(TaskOutput.Kind.EVENT, line(Json.of("time", seconds(), "error", error)));
    }

    /** One or more lines for those who look for the cause of something. */
    public void debug(String text) {
        stamped(TaskOutput.Kind.DEBUG, text);
    }

    public void debug(String text, Throwable cause) {
        var trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        debug(text + "\n" + trace);
    }

    /** A request to a CPI, or its answer. */
    public void cpi(String text) {
        stamped(TaskOutput.Kind.CPI, text);
    }

    /** One JSON document for the program that asked for the task. */
    public void result(String jsonLine) {
        output.line(TaskOutput.Kind.RESULT, redaction.apply(jsonLine).replace('\n', ' '));
    }

    /** Steps that end from now on leave no trace: their work will be taken up again. */
    void stopping() {
        stopping = true;
    }

    /** A named group of steps. */
    public final class Stage {
        private final String name;
        private final List<String> tags;
        private final int total;
        private int index;

        private Stage(String name, List<String> tags, int total) {
            this.name = clean(name);
            this.tags = tags;
            this.total = total;
        }

        /** Starts a step; it is to be closed. Steps may run side by side. */
        public StepLog step(String task) {
            var fields = clean(task);
            synchronized (this) { // so that lines come in the order of their numbers
                var step = new StepLog(this, fields, ++index);
                step.line("started", 0, null);
                return step;
            }
        }

        /** Work that may fail. */
        @FunctionalInterface
        public interface Work {
            void run(StepLog step) throws Exception;
        }

        /** Runs the work as one step that ends as the work does. */
        public void step(String task, Work work) throws Exception {
            try (StepLog step = step(task)) {
                try {
                    work.run(step);
                    step.done();
                } catch (TaskCancelled | DirectorStopping | InterruptedException e) {
                    throw e;
                } catch (Exception e) {
                    step.failed(Failures.message(e));
                    throw e;
                }
            }
        }
    }

    /** One step that runs. */
    public final class StepLog implements AutoCloseable {
        private final Stage stage;
        private final String task;
        private final int index;
        private final AtomicInteger ended = new AtomicInteger();

        private StepLog(Stage stage, String task, int index) {
            this.stage = stage;
            this.task = task;
            this.index = index;
        }

        /**
         * @param percent of the step, 0 to 100
         */
        public void progress(int percent, String status) {
            int bounded = Math.clamp(percent, 0, 100);
            line("in_progress", bounded, Json.of("status", clean(status)));
        }

        public void done() {
            if (ended.getAndIncrement() == 0) {
                line("finished", 100, null);
            }
        }

        public void failed(@Nullable String error) {
            if (ended.getAndIncrement() == 0) {
                line("failed", 100, Json.of("error", error == null ? null : clean(error)));
            }
        }

        /** A step that was neither done nor failed was left by an exception or a cancel. */
        @Override
        public void close() {
            if (!stopping) {
                failed(null);
            }
        }

        private void line(String state, int progress, @Nullable Map<String, Object> data) {
            Map<String, Object> event =
                    Json.of(
                            "time",
                            seconds(),
                            "stage",
                            stage.name,
                            "tags",
                            stage.tags,
                            "total",
                            stage.total,
                            "task",
                            task,
                            "index",
                            index,
                            "state",
                            state,
                            "progress",
                            progress);
            if (data != null) {
                event.put("data", data);
            }
            output.line(TaskOutput.Kind.EVENT, TaskLog.this.line(event));
        }
    }

    private Map<String, Object> note(String type, String message) {
        return Json.of("time", seconds(), "type", type, "message", clean(message));
    }

    private String line(Map<String, Object> event) {
        return Json.write(event);
    }

    private long seconds() {
        return clock.now().getEpochSecond();
    }

    private String clean(String text) {
        String clean = redaction.apply(text);
        return clean.length() <= LONGEST_MESSAGE
                ? clean
                : clean.substring(0, LONGEST_MESSAGE) + "... (cut)";
    }

    private void stamped(TaskOutput.Kind kind, String text) {
        Instant now = clock.now().truncatedTo(ChronoUnit.MILLIS);
        String clean = redaction.apply(text);
        String stamp = now + " ";
        clean.lines()
                .map(l -> l.length() > LONGEST_DEBUG_LINE ? l.substring(0, LONGEST_DEBUG_LINE) : l)
                .forEach(l -> output.line(kind, stamp + l));
    }
}

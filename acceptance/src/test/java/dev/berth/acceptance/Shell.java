package dev.berth.acceptance;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs programs to their end, as a person at a terminal would. */
final class Shell {
    private static final long LIMIT_SECONDS = 600;

    private Shell() {}

    /** Exit code and both streams. */
    record Ran(List<String> command, int code, String out, String err) {
        /** The standard output; an end other than 0 fails the test with all that was said. */
        String ok() {
            if (code != 0) {
                throw new AssertionError(this);
            }
            return out;
        }

        String said() {
            return out + err;
        }

        @Override
        public String toString() {
            // What went wrong comes first, on one line: summaries of test runs show no more.
            return "ended with %d: %s\ncommand: %s\n%s%s"
                    .formatted(
                            code,
                            err.strip().replaceAll("\\s*\n\\s*", " | "),
                            String.join(" ", command),
                            out,
                            err);
        }
    }

    static Ran run(List<String> command) {
        return run(Map.of(), command);
    }

    /**
     * @param env added to this process's own; an empty value removes a variable
     */
    static Ran run(Map<String, String> env, List<String> command) {
        var builder = new ProcessBuilder(command);
        apply(env, builder);
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            // A thread each: on few cores the common pool reads one stream while the other fills.
            var err = reading(process.getErrorStream());
            var out = reading(process.getInputStream());
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(
                        String.join(" ", command) + " did not end within " + LIMIT_SECONDS + " s");
            }
            return new Ran(List.copyOf(command), process.exitValue(), out.join(), err.join());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    private static void apply(Map<String, String> env, ProcessBuilder builder) {
        var all = new HashMap<>(env);
        all.values().removeIf(String::isEmpty);
        builder.environment().keySet().removeIf(name -> "".equals(env.get(name)));
        builder.environment().putAll(all);
    }

    private static CompletableFuture<String> reading(InputStream stream) {
        return CompletableFuture.supplyAsync(
                () -> text(stream), reader -> Thread.ofVirtual().start(reader));
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}

package dev.berth.acceptance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Programs, pauses and seconds; a failure is a {@link BenchException}. Thread-safe. */
public final class BenchTools {
    private BenchTools() {}

    /** Runs a program to its end and returns what it printed. */
    public static String run(Map<String, String> env, String... words) {
        try {
            ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
            builder.environment().putAll(env);
            Process process = builder.start();
            process.getOutputStream().close();
            String said =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new BenchException("'" + String.join(" ", words) + "' failed: " + said);
            }
            return said;
        } catch (IOException e) {
            throw new BenchException("cannot run " + words[0] + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    public static String run(String... words) {
        return run(Map.of(), words);
    }

    public static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    public static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Asks every few milliseconds; a question that throws counts as no. */
    public static void await(String what, int seconds, long pauseMillis, BooleanSupplier question) {
        long begun = System.nanoTime();
        while (!yes(question)) {
            if (secondsSince(begun) > seconds) {
                throw new BenchException("waited " + seconds + " s in vain for " + what);
            }
            pause(pauseMillis);
        }
    }

    private static boolean yes(BooleanSupplier question) {
        try {
            return question.getAsBoolean();
        } catch (RuntimeException e) {
            return false;
        }
    }

    /** Side by side, as one who knew the engine's API would do it; the first failure is thrown. */
    public static void together(List<Runnable> works) {
        var failures = new java.util.concurrent.ConcurrentLinkedQueue<RuntimeException>();
        List<Thread> threads =
                works.stream()
                        .map(work ->
                                Thread.ofVirtual()
                                        .start(() -> {
                                            try {
                                                work.run();
                                            } catch (RuntimeException e) {
                                                failures.add(e);
                                            }
                                        }))
                        .toList();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        if (!failures.isEmpty()) {
            throw failures.element();
        }
    }

    public static BenchException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new BenchException("interrupted", e);
    }
}

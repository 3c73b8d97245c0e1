package dev.berth.acceptance;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A process of the fleet benchmark, which takes orders on its standard input and answers each with
 * a line. One owner.
 */
final class FleetProcess implements AutoCloseable {
    private static final int ANSWER_SECONDS = 240;
    private static final int END_SECONDS = 60;

    private final String name;
    private final Process process;
    private final Writer to;
    private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private FleetProcess(String name, Process process, Consumer<String> events) {
        this.name = name;
        this.process = process;
        this.to = process.outputWriter(StandardCharsets.UTF_8);
        Thread.ofVirtual().start(() -> read(events));
        answer("its start");
    }

    /**
     * Ready when it returns.
     *
     * @param log takes what it writes to standard error
     * @param events told the words of each line that it says by itself
     */
    static FleetProcess start(
            String name,
            List<String> flags,
            Class<?> main,
            List<String> arguments,
            Path log,
            Consumer<String> events) {
        var words =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java")));
        words.addAll(flags);
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        words.addAll(arguments);
        try {
            File file = log.toFile();
            return new FleetProcess(
                    name,
                    new ProcessBuilder(words)
                            .redirectError(ProcessBuilder.Redirect.appendTo(file))
                            .start(),
                    events);
        } catch (IOException e) {
            throw new BenchException("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    private void read(Consumer<String> events) {
        try (var in =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith("! ")) {
                    events.accept(line.substring(2));
                } else {
                    answers.add(line);
                }
            }
        } catch (IOException e) {
            answers.add("failed: " + e.getMessage());
        }
    }

    long pid() {
        return process.pid();
    }

    synchronized String ask(String order) {
        try {
            to.write(order + "\n");
            to.flush();
        } catch (IOException e) {
            throw new BenchException(name + " has ended before '" + order + "'", e);
        }
        return answer(order);
    }

    /** Where the answer is one number. */
    long number(String order) {
        return Long.parseLong(ask(order));
    }

    private String answer(String order) {
        try {
            String said = answers.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
            if (said == null || said.startsWith("failed: ")) {
                throw new BenchException(name + " did not answer '" + order + "': " + said);
            }
            return said;
        } catch (InterruptedException e) {
            throw BenchTools.interrupted(e);
        }
    }

    @Override
    public void close() {
        try {
            to.close();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw BenchTools.interrupted(e);
        }
    }
}

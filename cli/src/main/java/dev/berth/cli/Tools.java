package dev.berth.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs of this machine that the command line leans on. */
final class Tools {
    private Tools() {}

    /** Output of both streams and exit code. */
    record Ran(int code, String output) {
        String orFail(String doing) {
            if (code != 0) {
                throw new CliException(doing + " failed: " + output.strip());
            }
            return output;
        }
    }

    static Ran run(Map<String, String> env, String... command) {
        return run(env, List.of(command), 600);
    }

    static Ran run(Map<String, String> env, List<String> command, long seconds) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(env);
            Process process = builder.start();
            process.getOutputStream().close();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new CliException(
                        "'" + command.getFirst() + "' did not end within " + seconds + " s");
            }
            return new Ran(process.exitValue(), output);
        } catch (IOException e) {
            throw new CliException("cannot run '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }

    /**
     * What the program answers on its standard output; what it says meanwhile goes to this
     * terminal.
     */
    static String answer(Map<String, String> env, List<String> command, String failure) {
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().putAll(env);
            Process process = builder.start();
            process.getOutputStream().close();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new CliException(failure);
            }
            return output;
        } catch (IOException e) {
            throw new CliException("cannot run '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }

    /** Lets the program print to this terminal. */
    static int show(Map<String, String> env, List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
            builder.environment().putAll(env);
            return builder.start().waitFor();
        } catch (IOException e) {
            throw new CliException("cannot run '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }

    /** Starts a program of its own session that outlives this one; its output goes to the log. */
    static Process detach(Map<String, String> env, Path log, String... command) {
        var all = new ArrayList<>(List.of("setsid"));
        all.addAll(List.of(command));
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(all)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.redirectInput(Path.of("/dev/null").toFile());
            builder.environment().putAll(env);
            return builder.start();
        } catch (IOException e) {
            throw new CliException("cannot run '" + command[0] + "': " + e.getMessage(), e);
        }
    }
}

package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * Runs the scripts that BOSH jobs bring ({@code bin/pre-start}, {@code bin/drain}, ...). Each runs
 * in a session of its own, so that cancelling reaches all it started.
 */
final class Scripts {
    private static final int OUTPUT = 512 * 1024;
    private static final Duration KILL_AFTER = Duration.ofSeconds(10);

    private final Layout layout;
    private final InstanceSpec spec;

    Scripts(Layout layout, InstanceSpec spec) {
        this.layout = layout;
        this.spec = spec;
    }

    /** What one script left behind. */
    record Run(int code, String stdout, String stderr) {}

    /**
     * {@code run_script}: every job's script of that name at once; logs kept; a missing one is
     * skipped.
     */
    void runAll(String name, Map<String, String> environment, AgentCall call) {
        Map<String, Path> present = present(name);
        Map<String, Run> runs =
                atOnce(present, path -> run(List.of(path.toString()), environment, call));
        runs.forEach((job, run) -> {
            log(job, name + ".stdout.log", run.stdout());
            log(job, name + ".stderr.log", run.stderr());
        });
        List<String> failed =
                runs.entrySet().stream()
                        .filter(e -> e.getValue().code() != 0)
                        .map(Map.Entry::getKey)
                        .toList();
        if (!failed.isEmpty()) {
            List<String> good =
                    runs.keySet().stream().filter(job -> !failed.contains(job)).toList();
            throw new ActionException(
                    failed.size()
                            + " of "
                            + runs.size()
                            + " "
                            + name
                            + " scripts failed. Failed Jobs: "
                            + String.join(", ", failed)
                            + "."
                            + (good.isEmpty()
                                    ? ""
                                    : " Successful Jobs: " + String.join(", ", good) + "."));
        }
    }

    /** {@code drain}: every job's drain script at once, to the end of all waiting they ask for. */
    void drainAll(
            String change,
            String hash,
            List<String> packages,
            Map<String, String> environment,
            AgentCall call) {
        Map<String, Run> runs =
                atOnce(
                        present("drain"),
                        path -> {
                            Run last =
                                    run(command(path, change, hash, packages), environment, call);
                            while (true) {
                                int seconds = seconds(last);
                                pause(Math.abs((long) seconds), call);
                                if (seconds >= 0) {
                                    return last;
                                }
                                last =
                                        run(
                                                command(
                                                        path,
                                                        "job_check_status",
                                                        "hash_unchanged",
                                                        List.of()),
                                                environment,
                                                call);
                            }
                        });
        if (call.isCancelled()) {
            throw new ActionException(
                    "drain of " + String.join(", ", runs.keySet()) + " was cancelled");
        }
    }

    private static List<String> command(
            Path path, String change, String hash, List<String> packages) {
        var command = new ArrayList<>(List.of(path.toString(), change, hash));
        command.addAll(packages);
        return command;
    }

    private static int seconds(Run run) {
        try {
            return Integer.parseInt(run.stdout().strip());
        } catch (NumberFormatException e) {
            throw new ActionException("Script did not return a signed integer", e);
        }
    }

    private static void pause(long seconds, AgentCall call) {
        for (long i = 0; i < seconds && !call.isCancelled(); i++) {
            try {
                Thread.sleep(1000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ActionException("interrupted", e);
            }
        }
    }

    private Map<String, Path> present(String name) {
        if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*")) {
            throw new ActionException("'" + name + "' is no script name");
        }
        var result = new TreeMap<String, Path>();
        for (String job : spec.jobs()) {
            Path script = layout.jobs().resolve(job).resolve("bin").resolve(name);
            if (Files.isExecutable(script)) {
                result.put(job, script);
            }
        }
        return result;
    }

    private static Map<String, Run> atOnce(
            Map<String, Path> scripts, java.util.function.Function<Path, Run> body) {
        var running = new TreeMap<String, FutureTask<Run>>();
        scripts.forEach((job, path) -> {
            var task = new FutureTask<>(() -> body.apply(path));
            running.put(job, task);
            Thread.ofVirtual().start(task);
        });
        var results = new TreeMap<String, Run>();
        running.forEach((job, task) -> {
            try {
                results.put(job, task.get());
            } catch (ExecutionException e) {
                throw new ActionException(
                        "job "
                                + job
                                + ": "
                                + ActionException.words(e.getCause() == null ? e : e.getCause()),
                        e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ActionException("interrupted", e);
            }
        });
        return results;
    }

    private static Run run(List<String> script, Map<String, String> environment, AgentCall call) {
        var command = new ArrayList<>(List.of("setsid", "nice", "-n", "5"));
        command.addAll(script);
        var builder = new ProcessBuilder(command).redirectInput(Path.of("/dev/null").toFile());
        builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            call.onCancel(() -> end(process));
            var stdout = collect(process.getInputStream());
            var stderr = collect(process.getErrorStream());
            int code = process.waitFor();
            return new Run(code, stdout.get(), stderr.get());
        } catch (IOException e) {
            throw new ActionException(
                    "cannot run " + script.getFirst() + ": " + ActionException.words(e), e);
        } catch (ExecutionException e) {
            throw new ActionException("cannot read from " + script.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
    }

    /** TERM to the whole session, KILL when that does not help. */
    private static void end(Process process) {
        Thread.ofVirtual()
                .start(() -> {
                    signal("TERM", process.pid());
                    try {
                        if (!process.waitFor(KILL_AFTER.toSeconds(), TimeUnit.SECONDS)) {
                            signal("KILL", process.pid());
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private static void signal(String signal, long group) {
        try {
            Process ignored =
                    new ProcessBuilder("sh", "-c", "kill -s " + signal + " -- -" + group).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FutureTask<String> collect(InputStream in) {
        var task =
                new FutureTask<>(() -> {
                    var kept = new ByteArrayOutputStream();
                    byte[] block = new byte[4096];
                    for (int n = in.read(block); n >= 0; n = in.read(block)) {
                        kept.write(block, 0, Math.min(n, OUTPUT - kept.size()));
                    }
                    return kept.toString(UTF_8);
                });
        Thread.ofVirtual().start(task);
        return task;
    }

    private void log(String job, String file, String text) {
        try {
            Path folder = layout.jobLogs().resolve(job);
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve(file),
                    text,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the log of job " + job, e);
        }
    }
}

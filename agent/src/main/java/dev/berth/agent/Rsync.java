package dev.berth.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@link TreeCopier} by rsync, with a comparison that does not trust it. */
final class Rsync implements TreeCopier {
    private static final Pattern PROGRESS = Pattern.compile("^ *(\\d+) +\\d+% .*");
    private static final Pattern FILES = Pattern.compile("^Number of files: (\\d+).*");
    private static final Pattern BYTES = Pattern.compile("^Total transferred file size: (\\d+).*");

    /** Files went away while they were copied: those of a live disk do. */
    private static final int VANISHED = 24;

    private static final Duration CANCEL_PERIOD = Duration.ofMillis(200);
    private static final int KEPT_LINES = 20;
    private static final int MOST_DIFFERENCES = 5;

    /**
     * Ends rsync when the agent ends, whose end of the pipe then closes: an orphan would go on
     * writing to a disk that is perhaps live by then.
     */
    private static final String GUARD =
            """
            set -m
            exec 3<&0 2> /dev/null # the shell's own words about its jobs
            "$@" < /dev/null 2>&1 3<&- &
            child=$!
            { read -r -u 3 _; kill -KILL -- "-$child"; } &
            guard=$!
            wait "$child"
            code=$?
            kill -KILL -- "-$guard"
            exit "$code"
            """;

    @Override
    public Passed pass(Path from, Path to, Instant since, boolean live, Watch watch) {
        distrust(from, to, since);
        Said said = run(command(from, to, "--info=progress2", "--stats"), watch);
        if (watch.isCancelled()) {
            throw new ActionException("cancelled; what was copied so far is kept");
        }
        if (said.code != 0 && !(live && said.code == VANISHED)) {
            throw failed("cannot copy " + from + " to " + to, said);
        }
        return new Passed(said.files, said.bytes);
    }

    /**
     * Gives copies of files that have changed since another time, so that they are copied anew: a
     * page that is mapped into memory is written again and again under one time of its file.
     */
    private static void distrust(Path from, Path to, Instant since) {
        var command =
                List.of(
                        "find",
                        from.toString(),
                        "-xdev",
                        "-type",
                        "f",
                        "-newerct",
                        "@%d.%09d".formatted(since.getEpochSecond(), since.getNano()),
                        "-printf",
                        "%P\\0");
        Path names = null;
        try {
            names = Files.createTempFile("berth-changed", "");
            Process find =
                    new ProcessBuilder(command)
                            .redirectOutput(names.toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            find.getOutputStream().close();
            int ignored = find.waitFor(); // what has vanished meanwhile is no trouble
            touch(names, to);
        } catch (IOException e) {
            throw new ActionException(
                    "cannot look for what has changed: " + ActionException.words(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted while copying", e);
        } finally {
            if (names != null) {
                DurableFile.delete(names);
            }
        }
    }

    /** Names by xargs, not by us: not every name is text. */
    private static void touch(Path names, Path to) throws IOException, InterruptedException {
        Process touch =
                new ProcessBuilder(
                                "xargs",
                                "-0",
                                "--no-run-if-empty",
                                "touch",
                                "--no-create",
                                "--no-dereference",
                                "--date=@0",
                                "--")
                        .directory(to.toFile())
                        .redirectInput(names.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(touch.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (touch.waitFor() != 0) {
            throw new ActionException("cannot mark changed files: " + said.strip());
        }
    }

    @Override
    public Compared compare(Path from, Path to, Instant since) {
        // What Java cannot read, access lists and extended attributes of every name space; both at
        // once, for containers are stopped meanwhile.
        var other =
                CompletableFuture.supplyAsync(
                        () -> run(command(from, to, "--dry-run", "--itemize-changes"), NOBODY),
                        task -> Thread.ofVirtual().start(task));
        Compared own;
        try {
            own = new TreeComparison(from, to, since).run();
        } catch (RuntimeException e) {
            other.exceptionally(lateFailure -> null).join(); // nothing may hold the mounts any more
            throw e;
        }
        Said said;
        try {
            said = other.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof ActionException known
                    ? known
                    : new ActionException("cannot run rsync: " + ActionException.words(e), e);
        }
        var differences = new ArrayList<>(own.differences());
        if (said.code != 0) {
            throw failed("cannot compare " + from + " with " + to, said);
        }
        said.lines.stream()
                .filter(line -> !line.isBlank() && !line.matches(".d\\.\\.t\\.+ \\./"))
                .limit(MOST_DIFFERENCES)
                .forEach(line -> differences.add("rsync finds " + line.strip()));
        return new Compared(
                own.files(),
                differences.subList(0, Math.min(MOST_DIFFERENCES, differences.size())));
    }

    private static List<String> command(Path from, Path to, String... more) {
        var command =
                new ArrayList<>(
                        List.of(
                                "rsync",
                                "-aHAXS",
                                "--numeric-ids",
                                "--delete",
                                "--one-file-system",
                                "--modify-window=-1", // else times are compared by whole seconds
                                "--no-human-readable",
                                "--outbuf=N"));
        DiskMarks.OWN.forEach(name -> command.add("--exclude=/" + name));
        command.addAll(List.of(more));
        command.addAll(List.of(from + "/", to + "/"));
        return command;
    }

    private static ActionException failed(String what, Said said) {
        String words =
                said.code == 127
                        ? "the stemcell has no rsync: use a newer one"
                        : String.join("; ", said.lines);
        return new ActionException(what + ": rsync exit status " + said.code + ": " + words);
    }

    private static final Watch NOBODY =
            new Watch() {
                @Override
                public void bytes(long sofar) {}

                @Override
                public boolean isCancelled() {
                    return false;
                }
            };

    /** What a run printed, but for its progress. */
    private static final class Said {
        int code;
        long files;
        long bytes;
        final Deque<String> lines = new ArrayDeque<>();

        void line(String line, Watch watch) {
            Matcher progress = PROGRESS.matcher(line);
            Matcher files = FILES.matcher(line);
            Matcher bytes = BYTES.matcher(line);
            if (progress.matches()) {
                watch.bytes(Long.parseLong(progress.group(1)));
            } else if (files.matches()) {
                this.files = Long.parseLong(files.group(1));
            } else if (bytes.matches()) {
                this.bytes = Long.parseLong(bytes.group(1));
            } else {
                lines.add(line.length() > 300 ? line.substring(0, 300) : line);
                if (lines.size() > KEPT_LINES) {
                    lines.remove();
                }
            }
        }
    }

    private static Said run(List<String> command, Watch watch) {
        var guarded = new ArrayList<>(List.of("bash", "-c", GUARD, "copy"));
        guarded.addAll(command);
        var said = new Said();
        try {
            var builder = new ProcessBuilder(guarded).redirectErrorStream(true);
            builder.environment().put("LC_ALL", "C");
            Process process = builder.start();
            try {
                Thread reader =
                        Thread.ofVirtual().start(() -> read(process.getInputStream(), said, watch));
                while (!process.waitFor(CANCEL_PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
                    if (watch.isCancelled()) {
                        process.getOutputStream().close(); // which ends it
                    }
                }
                reader.join(Duration.ofSeconds(5));
                said.code = process.exitValue();
                return said;
            } finally {
                process.getOutputStream().close();
            }
        } catch (IOException e) {
            throw new ActionException("cannot run rsync: " + ActionException.words(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted while copying", e);
        }
    }

    /** Progress ends its lines with a carriage return. */
    private static void read(InputStream in, Said said, Watch watch) {
        var line = new java.io.ByteArrayOutputStream();
        byte[] block = new byte[8192];
        try {
            for (int n = in.read(block); n >= 0; n = in.read(block)) {
                for (int i = 0; i < n; i++) {
                    if (block[i] != '\n' && block[i] != '\r') {
                        line.write(block[i]);
                    } else if (line.size() > 0) {
                        said.line(line.toString(StandardCharsets.UTF_8), watch);
                        line.reset();
                    }
                }
            }
        } catch (IOException e) {
            // The process is gone and so is its pipe: what came so far is what there is.
        }
    }
}

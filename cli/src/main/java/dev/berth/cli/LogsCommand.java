package dev.berth.cli;

import dev.berth.model.Fields;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What containers print, now and on. */
@Command(
        name = "logs",
        description = "What containers of an instance print; -f: and go on, until Ctrl-C.")
final class LogsCommand extends DirectorCommand {
    private static final long POLL_MILLIS = 500;

    /** A director that is being started again takes seconds; the cursors lose nothing meanwhile. */
    private static final long PATIENCE_NANOS = 60_000_000_000L;

    private static final int MOST_LINES = 10_000;

    @Parameters(
            index = "0",
            paramLabel = "INSTANCE[/CONTAINER]",
            description = "db/0, db/ID, or db where it has one instance; db/0/postgres.")
    String which = "";

    @Option(
            names = "--container",
            paramLabel = "NAME",
            description = "Of this one only; else all, each line with its container's name.")
    @Nullable String container;

    @Option(
            names = "--num",
            paramLabel = "N",
            description = "The last N lines of each container; 100 unless said, 10000 at most.")
    int num = 100;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what comes; Ctrl-C ends it.")
    boolean follow;

    /** Where the reading of one container's log stands. */
    private static final class Reader {
        private final String name;
        private String cursor = "";
        private boolean more = true;
        private int left;

        /** It could not be read last time; said once. */
        private boolean lost;

        Reader(String name, int left) {
            this.name = name;
            this.left = left;
        }
    }

    private record Line(Instant at, String text) {}

    @Override
    void run(Main main, Api api, Screen screen) {
        if (num < 1 || num > MOST_LINES) {
            throw new CliException("--num is to be a number from 1 to " + MOST_LINES);
        }
        Inside inside = Inside.of(api, main.requiredDeployment(), which);
        Map<String, Reader> readers = new LinkedHashMap<>();
        List<String> names = container != null ? List.of(container) : inside.containers(api);
        names.forEach(name -> readers.put(name, new Reader(name, num)));
        if (follow) {
            // The one way to end it is no failure: scripts and people go on after it.
            Runtime.getRuntime().addShutdownHook(new Thread(LogsCommand::end));
        }
        boolean named = names.size() > 1;
        for (boolean first = true; ; first = false) {
            boolean more = round(api, inside, screen, readers.values(), first, named);
            if (!more && !follow) {
                return;
            }
            if (!more) {
                TaskFollower.sleep(POLL_MILLIS);
            }
        }
    }

    private static void end() {
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** A page of each; true when there is more to be had at once. */
    private boolean round(
            Api api,
            Inside inside,
            Screen screen,
            Iterable<Reader> readers,
            boolean first,
            boolean named) {
        var lines = new ArrayList<Line>();
        boolean more = false;
        for (Reader reader : readers) {
            if (!first && !reader.more && !follow) {
                continue;
            }
            lines.addAll(page(api, inside, screen, reader, first, named));
            more |= reader.more && (follow || reader.left > 0);
        }
        lines.sort(Comparator.comparing(Line::at));
        lines.forEach(line -> screen.line(line.text()));
        return more;
    }

    private List<Line> page(
            Api api, Inside inside, Screen screen, Reader reader, boolean first, boolean named) {
        int most = reader.cursor.isEmpty() ? num : follow ? MOST_LINES : Math.max(1, reader.left);
        String path =
                inside.containerPath(reader.name)
                        + "/logs?num="
                        + most
                        + (reader.cursor.isEmpty()
                                ? ""
                                : "&cursor=" + ChangeCommands.encoded(reader.cursor));
        Fields page;
        try {
            page = patiently(api, path, first);
        } catch (Api.Unreachable e) {
            throw e;
        } catch (CliException e) {
            if (first || !follow) {
                if (named) {
                    reader.more = false;
                    return List.of(
                            new Line(Instant.EPOCH, reader.name + " | (" + e.getMessage() + ")"));
                }
                throw e;
            }
            // Followed through its restarts and replacements: for a moment it may not exist.
            if (!reader.lost) {
                screen.error(reader.name + ": " + e.getMessage() + "; looking on");
            }
            reader.lost = true;
            reader.more = false;
            return List.of();
        }
        reader.lost = false;
        reader.cursor = page.string("cursor");
        reader.more = page.flag("more", false);
        String before = named ? reader.name + " | " : "";
        List<Line> lines =
                page.objects("lines").stream()
                        .map(l ->
                                new Line(
                                        Instant.parse(l.string("time")),
                                        before + l.string("text", "")))
                        .toList();
        reader.left -= lines.size();
        return lines;
    }

    private Fields patiently(Api api, String path, boolean first) {
        long giveUp = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                return Fields.of(api.object(path), "page");
            } catch (Api.Unreachable e) {
                if (first || !follow || System.nanoTime() > giveUp) {
                    throw e;
                }
                TaskFollower.sleep(POLL_MILLIS);
            }
        }
    }
}

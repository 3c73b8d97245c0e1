package dev.berth.alerts;

import dev.berth.model.AlertsConfig.Plugin;
import dev.berth.model.Clock;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Executables that stay and take a JSON line for each notice on their standard input, as the
 * reference's {@code json} plugin starts them. One that ended, whatever it said, is started again,
 * with back-off.
 */
final class PluginSink implements Sink {
    private static final int MOST = 50;
    private static final int DEEPEST = 12;

    private final Plugin to;
    private final Clock clock;
    private final Map<Path, PluginProcess> running = new TreeMap<>();

    PluginSink(Plugin to, Clock clock) {
        this.to = to;
        this.clock = clock;
    }

    /** Whoever has taken a notice does not get it again because another could not. */
    @Override
    public String deliver(List<Notice> notices) throws SinkException {
        Notice notice = notices.getFirst();
        List<PluginProcess> all = refreshed();
        if (all.isEmpty()) {
            throw new SinkException(
                    SinkException.Kind.AWAY,
                    "no executable is at " + String.join(", ", to.executables()));
        }
        var trouble = new ArrayList<String>();
        for (PluginProcess one : all) {
            try {
                one.tell(notice);
            } catch (IOException e) {
                trouble.add(one.path() + ": " + e.getMessage());
            }
        }
        if (!trouble.isEmpty()) {
            throw new SinkException(SinkException.Kind.AWAY, String.join("; ", trouble));
        }
        return "taken by " + String.join(", ", all.stream().map(p -> p.path().toString()).toList());
    }

    private synchronized List<PluginProcess> refreshed() throws SinkException {
        var found = new TreeSet<Path>();
        for (String pattern : to.executables()) {
            try {
                find(pattern, found);
            } catch (IOException e) {
                throw new SinkException(SinkException.Kind.AWAY, pattern + ": " + e.getMessage());
            }
        }
        running.entrySet()
                .removeIf(e -> {
                    boolean gone = !found.contains(e.getKey());
                    if (gone) {
                        e.getValue().close();
                    }
                    return gone;
                });
        found.stream()
                .limit(MOST)
                .forEach(path -> running.computeIfAbsent(path, p -> new PluginProcess(p, clock)));
        return List.copyOf(running.values());
    }

    /** Folder by folder, so that nothing is walked that no pattern names. */
    private static void find(String pattern, TreeSet<Path> into) throws IOException {
        List<Path> at = List.of(Path.of("/"));
        String[] steps = pattern.substring(1).split("/+");
        if (steps.length > DEEPEST) {
            throw new IOException("deeper than " + DEEPEST + " folders");
        }
        for (String step : steps) {
            var next = new ArrayList<Path>();
            PathMatcher matcher =
                    FileSystems.getDefault()
                            .getPathMatcher(
                                    "glob:" + step.replaceAll("([\\[\\]{}?\\\\])", "\\\\$1"));
            for (Path folder : at) {
                if (!step.contains("*")) {
                    next.add(folder.resolve(step));
                } else if (Files.isDirectory(folder)) {
                    try (var entries = Files.newDirectoryStream(folder)) {
                        entries.forEach(entry -> {
                            if (matcher.matches(entry.getFileName())) {
                                next.add(entry);
                            }
                        });
                    }
                }
            }
            at = next;
        }
        at.stream().filter(p -> Files.isRegularFile(p) && Files.isExecutable(p)).forEach(into::add);
    }

    /** One does not read what it is given: whoever hangs is ended, and started again. */
    @Override
    public synchronized void abort() {
        running.values().forEach(PluginProcess::endIfStuck);
    }

    @Override
    public synchronized void close() {
        running.values().forEach(PluginProcess::close);
        running.clear();
    }
}

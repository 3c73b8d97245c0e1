package dev.berth.agent;

import dev.berth.wire.AgentState.ContainerState;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gathers logs of the VM and of its containers into one gzip tar. */
final class LogBundle {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final int CONTAINER_LINES = 20_000;

    private final Layout layout;
    private final Workload workload;
    private final Programs programs;

    LogBundle(Layout layout, Workload workload, Programs programs) {
        this.layout = layout;
        this.workload = workload;
        this.programs = programs;
    }

    /**
     * Makes the archive; the caller deletes it. Logs of type {@code job} include those of the
     * containers, as {@code containers/NAME.log}.
     *
     * @param types {@code job}, {@code agent}, {@code system} or several with commas between
     * @param filters globs below the log directory; empty: everything
     */
    Path make(String types, List<String> filters) throws IOException {
        Files.createDirectories(layout.temporary());
        Path stage = Files.createTempDirectory(layout.temporary(), "logs");
        try {
            var roots = new LinkedHashMap<String, Path>();
            for (String type : types.split(",")) {
                roots.put(type.strip(), root(type.strip()));
            }
            for (Map.Entry<String, Path> root : roots.entrySet()) {
                Path into = roots.size() == 1 ? stage : stage.resolve(root.getKey());
                gather(root.getValue(), into, filters);
                if (root.getKey().equals("job")) {
                    gatherContainers(into.resolve("containers"), filters);
                }
            }
            Path archive = Files.createTempFile(layout.temporary(), "logs", ".tgz");
            Programs.Result packed =
                    programs.run(
                            LIMIT, "tar", "-C", stage.toString(), "-czf", archive.toString(), ".");
            if (packed.code() != 1) { // 1: a log grew while it was read, as logs do
                String ignored = packed.orFail("cannot pack the logs");
            }
            return archive;
        } finally {
            programs.run(LIMIT, "rm", "-rf", stage.toString());
        }
    }

    private Path root(String type) {
        return switch (type) {
            case "job" -> layout.jobLogs();
            case "agent" -> layout.bosh().resolve("log");
            case "system" -> Path.of("/var/log");
            default -> throw new ActionException("Invalid log type");
        };
    }

    private void gather(Path root, Path into, List<String> filters) throws IOException {
        Files.createDirectories(into);
        if (!Files.isDirectory(root)) {
            return;
        }
        Path real = root.toRealPath();
        List<Path> wanted = new ArrayList<>();
        try (var files =
                Files.find(
                        real,
                        32,
                        (path, what) ->
                                what.isRegularFile() && passes(real.relativize(path), filters))) {
            files.forEach(wanted::add);
        }
        for (Path file : wanted) {
            Path copy = into.resolve(real.relativize(file).toString());
            Path folder = copy.getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            // A log may be rotated away or be linked: a hard link is free, a copy always works.
            try {
                Files.createLink(copy, file);
            } catch (IOException | UnsupportedOperationException e) {
                Files.copy(file, copy);
            }
        }
    }

    private void gatherContainers(Path into, List<String> filters) throws IOException {
        for (ContainerState container : workload.status().containers()) {
            Path name = Path.of("containers", container.name() + ".log");
            if (container.containerId() != null && passes(name, filters)) {
                Files.createDirectories(into);
                copy(container.name(), into.resolve(container.name() + ".log"));
            }
        }
    }

    private void copy(String name, Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            try {
                workload.copyLogs(name, CONTAINER_LINES, out);
            } catch (RuntimeException e) {
                String words = "(the log cannot be read: " + ActionException.words(e) + ")\n";
                out.write(words.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static boolean passes(Path relative, List<String> filters) {
        if (filters.isEmpty()) {
            return true;
        }
        for (String filter : filters) {
            // BOSH's ** also stands for no directory at all, the JDK's does not.
            for (String glob : List.of(filter, filter.replace("**/", ""))) {
                PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
                if (matcher.matches(relative)) {
                    return true;
                }
            }
        }
        return false;
    }
}

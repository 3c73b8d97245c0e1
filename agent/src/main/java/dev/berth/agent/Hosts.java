package dev.berth.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The agent's parts of {@code /etc/hosts}, each between marks of its own; lines of others stay as
 * they are. Thread-safe.
 */
final class Hosts {
    private final Path file;

    Hosts(Layout layout) {
        this.file = layout.hosts();
    }

    synchronized void replace(String part, List<String> lines) {
        String begin = "# berth " + part + " begin";
        String end = "# berth " + part + " end";
        try {
            List<String> before = Files.exists(file) ? Files.readAllLines(file) : List.of();
            var after = new ArrayList<String>();
            boolean inside = false;
            for (String line : before) {
                inside = inside || line.equals(begin);
                if (!inside) {
                    after.add(line);
                }
                inside = inside && !line.equals(end);
            }
            if (!lines.isEmpty()) {
                after.add(begin);
                after.addAll(lines);
                after.add(end);
            }
            if (!after.equals(before)) {
                write(String.join("\n", after) + "\n");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot write " + file + ": " + ActionException.words(e), e);
        }
    }

    private void write(String text) throws IOException {
        Path fresh = file.resolveSibling("hosts.berth");
        Files.writeString(fresh, text);
        try {
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // In a VM that is a container the file is a mount, which nothing can be moved onto.
            Files.writeString(file, text);
            Files.deleteIfExists(fresh);
        }
    }
}

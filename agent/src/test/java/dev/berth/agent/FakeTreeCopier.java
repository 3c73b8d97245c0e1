package dev.berth.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Copies plain files of one folder, one by one, each of them a point at which it may end. */
final class FakeTreeCopier implements TreeCopier {
    /** Called before each file is copied. */
    Consumer<String> point = what -> {};

    /** Whether the next copy loses a byte. */
    boolean damages;

    /** Whether a pass lasts until it is cancelled. */
    volatile boolean waitsForCancel;

    final List<String> passes = new java.util.concurrent.CopyOnWriteArrayList<>();

    @Override
    public Passed pass(Path from, Path to, Instant since, boolean live, Watch watch) {
        passes.add(live ? "live" : "last");
        while (waitsForCancel) {
            if (watch.isCancelled()) {
                throw new ActionException("cancelled");
            }
            Thread.onSpinWait();
        }
        long bytes = 0;
        try {
            for (Path file : names(to)) {
                if (!Files.exists(from.resolve(file))) {
                    Files.delete(to.resolve(file));
                }
            }
            for (Path file : names(from)) {
                point.accept("copy " + file);
                byte[] content = Files.readAllBytes(from.resolve(file));
                Path copy = to.resolve(file);
                if (!Files.exists(copy) || Files.mismatch(from.resolve(file), copy) >= 0) {
                    Files.write(copy, damages ? new byte[content.length] : content);
                    bytes += content.length;
                    watch.bytes(bytes);
                }
            }
            return new Passed(names(from).size(), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Compared compare(Path from, Path to, Instant since) {
        point.accept("compare");
        var differences = new ArrayList<String>();
        try {
            if (!names(from).equals(names(to))) {
                differences.add("other names");
            }
            for (Path file : names(from)) {
                if (Files.mismatch(from.resolve(file), to.resolve(file)) >= 0) {
                    differences.add(file + " differs");
                }
            }
            return new Compared(names(from).size(), differences);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(Path::getFileName)
                    .filter(name -> !DiskMarks.OWN.contains(name.toString()))
                    .sorted()
                    .toList();
        }
    }
}

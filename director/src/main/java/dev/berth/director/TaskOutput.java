package dev.berth.director;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The outputs of one task: files {@code event}, {@code debug}, {@code result} and {@code cpi} in a
 * folder of its own, append-only, in whole lines. Clients poll them by byte offset while the task
 * runs, so what has been shown once never changes. Each line goes to the operating system before
 * {@link #line} returns: a killed director loses none. Thread-safe.
 */
final class TaskOutput implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(TaskOutput.class.getName());

    private static final byte[] NOTE =
            "... this log has reached its bound and ends here\n".getBytes(StandardCharsets.UTF_8);

    /** One file each; beyond its bound the file ends with a note and takes no more. */
    enum Kind {
        EVENT(64L << 20),
        DEBUG(16L << 20),
        RESULT(256L << 20),
        CPI(16L << 20);

        private final long bound;

        Kind(long bound) {
            this.bound = bound;
        }

        String fileName() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Optional<Kind> of(String name) {
            for (Kind kind : values()) {
                if (kind.fileName().equals(name)) {
                    return Optional.of(kind);
                }
            }
            return Optional.empty();
        }
    }

    private final Path folder;
    private final Map<Kind, Sink> sinks = new EnumMap<>(Kind.class);
    private boolean failed;

    /**
     * An open file. A stream, not a channel: the interrupt of a writing thread must not close it.
     */
    private static final class Sink {
        private final Path file;
        private final OutputStream out;
        private long size;

        Sink(Path file) throws IOException {
            this.file = file;
            this.out = new FileOutputStream(file.toFile(), true);
            this.size = Files.size(file);
        }

        void truncate(long length) throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(length);
            }
            size = length;
        }
    }

    TaskOutput(Path folder) {
        this.folder = folder;
    }

    /** Appends one line; the text must hold no line break. Loses the line when the disk is full. */
    void line(Kind kind, String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (this) {
            try {
                append(kind, bytes);
            } catch (IOException e) {
                // The work of the task is worth more than its log; its state is kept by the store.
                if (!failed) {
                    failed = true;
                    LOG.log(System.Logger.Level.ERROR, "cannot write to " + folder + ": " + e);
                }
            }
        }
    }

    private void append(Kind kind, byte[] bytes) throws IOException {
        Sink sink = sinks.get(kind);
        if (sink == null) {
            sink = open(kind);
            sinks.put(kind, sink);
        }
        if (sink.size >= kind.bound) {
            return;
        }
        if (sink.size + bytes.length <= kind.bound) {
            write(sink, bytes);
        } else if (kind == Kind.DEBUG || kind == Kind.CPI) {
            write(sink, NOTE);
            sink.size = kind.bound;
        } else {
            throw new IOException(kind.fileName() + " has reached its bound of " + kind.bound);
        }
    }

    private static void write(Sink sink, byte[] bytes) throws IOException {
        try {
            sink.out.write(bytes);
            sink.size += bytes.length;
        } catch (IOException e) {
            sink.truncate(sink.size); // half a line would break every reader of the file
            throw e;
        }
    }

    private Sink open(Kind kind) throws IOException {
        Files.createDirectories(folder);
        var sink = new Sink(folder.resolve(kind.fileName()));
        long whole = wholeLines(sink.file, sink.size);
        if (whole < sink.size) {
            sink.truncate(whole); // left by a process that was killed within a write
        }
        return sink;
    }

    /** Where an output can be read from: its file and how many bytes of it are whole lines. */
    record Text(Path file, long size) {}

    /** Empty when the task never wrote to that output. */
    static Optional<Text> text(Path folder, Kind kind) throws IOException {
        Path file = folder.resolve(kind.fileName());
        try {
            long size = Files.size(file);
            return Optional.of(new Text(file, wholeLines(file, size)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static long wholeLines(Path file, long size) throws IOException {
        if (size == 0) {
            return 0;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var block = ByteBuffer.allocate(4096);
            for (long end = size; end > 0; ) {
                long start = Math.max(0, end - block.capacity());
                block.clear().limit((int) (end - start));
                while (block.hasRemaining() && channel.read(block, start + block.position()) > 0) {
                    continue;
                }
                for (int i = block.position() - 1; i >= 0; i--) {
                    if (block.get(i) == '\n') {
                        return start + i + 1;
                    }
                }
                end = start;
            }
            return 0;
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            for (Sink sink : sinks.values()) {
                try {
                    sink.out.close();
                } catch (IOException e) {
                    LOG.log(System.Logger.Level.WARNING, "closing " + sink.file, e);
                }
            }
            sinks.clear();
        }
    }
}

package dev.berth.engine;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the engine and the clock over it. Unix sockets have no read timeout, so a timer
 * closes the channel when the limit or the longest silence has passed; whoever blocks on it then
 * fails. Used by one thread at a time; {@link #close} by any.
 */
final class EngineConnection implements AutoCloseable {
    /** How long a call without a limit of its own may take to begin its answer. */
    private static final Duration HEAD = Duration.ofSeconds(30);

    private static final int BUFFER = 8192;

    private final SocketChannel channel;
    private final ScheduledExecutorService timer;
    private final EngineHttp.Call call;
    private final long begun = System.nanoTime();
    private final ByteBuffer in = ByteBuffer.allocate(BUFFER).limit(0);
    private volatile long progress = begun;
    private volatile boolean headReceived;
    private volatile boolean late;
    private volatile boolean closed;
    private volatile @Nullable ScheduledFuture<?> watch;

    EngineConnection(SocketChannel channel, ScheduledExecutorService timer, EngineHttp.Call call) {
        this.channel = channel;
        this.timer = timer;
        this.call = call;
        watchAgain(System.nanoTime());
    }

    void connect(SocketAddress address) throws IOException {
        channel.connect(address);
    }

    void write(byte[] bytes) throws IOException {
        write(ByteBuffer.wrap(bytes));
    }

    /** One chunk of a chunked body. */
    void writeChunk(byte[] buffer, int count) throws IOException {
        byte[] size = (Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        var chunk = ByteBuffer.allocate(size.length + count + 2);
        chunk.put(size).put(buffer, 0, count).put((byte) '\r').put((byte) '\n');
        write(chunk.flip());
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
            progress = System.nanoTime();
        }
    }

    void endOutput() throws IOException {
        channel.shutdownOutput();
    }

    /** What the engine sends, buffered. */
    InputStream input() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                return fill() ? in.get() & 0xff : -1;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                if (!fill()) {
                    return -1;
                }
                int count = Math.min(length, in.remaining());
                in.get(target, offset, count);
                return count;
            }
        };
    }

    private boolean fill() throws IOException {
        if (in.hasRemaining()) {
            return true;
        }
        in.clear();
        int count = channel.read(in);
        in.flip();
        progress = System.nanoTime();
        return count > 0;
    }

    /** From here on a call without a limit may last. */
    void headReceived() {
        headReceived = true;
    }

    boolean late() {
        return late;
    }

    String limitText() {
        Duration limit = call.limit().isPositive() ? call.limit() : HEAD;
        String text =
                limit.toMillis() < 10_000 ? limit.toMillis() + " ms" : limit.toSeconds() + " s";
        return call.idle().isPositive()
                ? text + ", or was silent for " + call.idle().toSeconds() + " s"
                : text;
    }

    /** When the timer has to hang up, as things stand; Long.MAX_VALUE from now: never. */
    private long nanosLeft(long now) {
        long left = Long.MAX_VALUE;
        if (call.limit().isPositive()) {
            left = begun + call.limit().toNanos() - now;
        } else if (!headReceived) {
            left = begun + HEAD.toNanos() - now;
        }
        if (call.idle().isPositive()) {
            left = Math.min(left, progress + call.idle().toNanos() - now);
        }
        return left;
    }

    private void look() {
        long now = System.nanoTime();
        if (nanosLeft(now) <= 0) {
            late = true;
            close();
        } else {
            watchAgain(now);
        }
    }

    private void watchAgain(long now) {
        long left = nanosLeft(now);
        if (left != Long.MAX_VALUE && !closed) {
            watch = timer.schedule(this::look, left, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void close() {
        closed = true;
        ScheduledFuture<?> watching = watch;
        if (watching != null) {
            watching.cancel(false);
        }
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is sent on closing, so nothing can be lost by its failure.
        }
    }
}

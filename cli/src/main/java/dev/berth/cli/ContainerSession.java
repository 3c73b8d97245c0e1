package dev.berth.cli;

import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A command in a container that somebody is connected to: input, output, terminal, exit code. */
final class ContainerSession {
    private static final int BLOCK = 32 * 1024;
    private static final Duration ALIVE = Duration.ofSeconds(15);

    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;

    ContainerSession(InputStream in, PrintStream out, PrintStream err) {
        this.in = in;
        this.out = out;
        this.err = err;
    }

    /**
     * @param input whether ours is the command's
     * @param terminal whether the command gets one, and ours is handed over to it
     * @param term kind of ours; empty: unknown
     */
    record Wish(List<String> command, boolean input, boolean terminal, String term) {
        Map<String, Object> tree(RawTerminal.Size size) {
            return Json.of(
                    "command", command,
                    "stdin", input,
                    "tty", terminal,
                    "term", term,
                    "columns", size.columns(),
                    "rows", size.rows());
        }
    }

    /** Returns the exit code of the command; that there is none is a {@link CliException}. */
    int run(Api api, String path, Wish wish) {
        boolean ours = wish.terminal() && RawTerminal.isInput();
        if (wish.terminal() && wish.input() && !ours) {
            throw new CliException(
                    "standard input is not a terminal: leave out -t, and give input with -i");
        }
        RawTerminal.Size size = ours ? RawTerminal.size() : new RawTerminal.Size(0, 0);
        try (SessionLink link = SessionLink.open(api, path, wish.tree(size))) {
            if (!ours || !wish.input()) {
                return converse(link, wish.input(), ours);
            }
            try (RawTerminal terminal = RawTerminal.begin()) {
                return converse(link, true, true);
            }
        }
    }

    private int converse(SessionLink link, boolean input, boolean resizes) {
        Thread.ofVirtual().name("alive").start(() -> stayAlive(link));
        if (resizes) {
            RawTerminal.onResize(() ->
                    Thread.ofVirtual().start(() -> quietly(link, windowOf(RawTerminal.size()))));
        }
        if (input) {
            // Of the platform: reading a terminal would keep a virtual one's carrier.
            Thread.ofPlatform().daemon().name("input").start(() -> feed(link));
        }
        try {
            for (Frame frame = link.receive(); frame != null; frame = link.receive()) {
                switch (frame.kind()) {
                    case Frames.OUTPUT -> print(out, frame);
                    case Frames.ERRORS -> print(err, frame);
                    case Frames.EXIT -> {
                        link.end();
                        return frame.intValue();
                    }
                    case Frames.FAILURE ->
                            throw new CliException(
                                    "the session ended: "
                                            + new String(frame.payload(), StandardCharsets.UTF_8));
                    default -> {}
                }
            }
            throw new CliException("the session ended: the director hung up");
        } catch (SocketTimeoutException e) {
            throw new CliException("the session ended: the director is silent", e);
        } catch (IOException e) {
            throw new CliException(
                    "the session ended: the connection to the director was lost ("
                            + e.getMessage()
                            + ")",
                    e);
        }
    }

    private static void print(PrintStream to, Frame frame) {
        to.write(frame.payload(), 0, frame.payload().length);
        to.flush();
        if (to.checkError()) {
            throw new CliException("the output cannot be written any more");
        }
    }

    private static Frame windowOf(RawTerminal.Size size) {
        return Frame.window(size.columns(), size.rows());
    }

    /** Our input to its end, at the pace of the command. */
    private void feed(SessionLink link) {
        byte[] block = new byte[BLOCK];
        try {
            for (int got = in.read(block); got >= 0; got = in.read(block)) {
                link.send(new Frame(Frames.INPUT, java.util.Arrays.copyOf(block, got)));
            }
            link.send(new Frame(Frames.INPUT_END));
        } catch (IOException e) {
            // The reader of the answer hears of it as well, and says why.
        }
    }

    private static void stayAlive(SessionLink link) {
        try {
            while (quietly(link, new Frame(Frames.ALIVE))) {
                Thread.sleep(ALIVE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean quietly(SessionLink link, Frame frame) {
        try {
            link.send(frame);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}

package dev.berth.director;

import dev.berth.bus.AgentStream;
import dev.berth.model.Fields;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.wire.StreamEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A command in a container between a caller of the API and the agent of its VM: what the one sends,
 * the other gets, at the pace of the slower. It is over when the command is, when either is gone,
 * or when neither has said anything for an hour.
 */
final class ContainerSession implements Reply.Session {
    private static final Duration LOOK = Duration.ofSeconds(5);

    /** The command line says something each 15 s. */
    private static final Duration CALLER_SILENCE = Duration.ofSeconds(60);

    private static final Duration IDLE = Duration.ofHours(1);
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);
    private static final int MOST_WORDS = 1000;
    private static final int LONGEST_COMMAND = 128 * 1024;

    private final AgentStream stream;
    private volatile long callerSpoke = System.nanoTime();
    private volatile boolean forwarding;
    private volatile long lastMove = System.nanoTime();

    ContainerSession(AgentStream stream) {
        this.stream = stream;
    }

    /** The first frame of a caller, which says what to run. */
    static Fields options(InputStream in) throws IOException {
        try {
            Frame first = Frames.read(in);
            if (first == null || first.kind() != Frames.OPEN) {
                throw new ProblemException(40001, "A session begins with what is to be run");
            }
            return Fields.of(Json.parse(first.payload()), "session");
        } catch (IllegalArgumentException e) {
            throw new ProblemException(710001, "Invalid JSON object: " + e.getMessage());
        }
    }

    static List<String> command(Fields options) {
        List<String> command = options.strings("command");
        if (command.isEmpty()
                || command.size() > MOST_WORDS
                || command.stream().mapToInt(String::length).sum() > LONGEST_COMMAND) {
            throw new ProblemException(
                    40001,
                    "'command' is to be a list of 1 to "
                            + MOST_WORDS
                            + " words, of "
                            + LONGEST_COMMAND
                            + " characters together at most");
        }
        return command;
    }

    static Map<String, Object> forAgent(Fields options, String replyTo) {
        return Json.of(
                "tty", options.flag("tty", false),
                "stdin", options.flag("stdin", false),
                "term", options.string("term", ""),
                "columns", Math.clamp(options.integer("columns", 0), 0, 10_000),
                "rows", Math.clamp(options.integer("rows", 0), 0, 10_000),
                "subject", replyTo);
    }

    @Override
    public void run(InputStream in, OutputStream out) throws IOException {
        Frames.write(out, new Frame(Frames.STARTED));
        Thread hears = Thread.ofVirtual().name("session input").start(() -> hear(in));
        try {
            speak(out);
            // The caller ends its body when it has heard the end; a body cut short is worth no
            // wait.
            boolean ignored = hears.join(LAST_WORDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What the agent sends, to the caller. */
    private void speak(OutputStream out) throws IOException, InterruptedException {
        try {
            while (true) {
                Frame frame = stream.end().take(LOOK);
                if (frame == null) {
                    endWhenIdle();
                    Frames.write(out, new Frame(Frames.ALIVE)); // fails when nobody is there
                    continue;
                }
                lastMove = System.nanoTime();
                Frames.write(out, frame);
                stream.end().taken(frame);
                if (frame.kind() == Frames.EXIT) {
                    return;
                }
            }
        } catch (StreamEnd.Broken e) {
            byte[] words = String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8);
            Frames.write(out, new Frame(Frames.FAILURE, words));
        }
    }

    private void endWhenIdle() {
        long now = System.nanoTime();
        if (!forwarding && now - callerSpoke > CALLER_SILENCE.toNanos()) {
            stream.end().close("the caller is silent");
        } else if (now - lastMove > IDLE.toNanos()) {
            stream.end().close("nothing was typed or printed for an hour");
        }
    }

    /** What the caller sends, to the agent. */
    private void hear(InputStream in) {
        try {
            for (Frame frame = Frames.read(in); frame != null; frame = Frames.read(in)) {
                callerSpoke = System.nanoTime();
                switch (frame.kind()) {
                    case Frames.INPUT, Frames.INPUT_END, Frames.WINDOW -> {
                        lastMove = callerSpoke;
                        // A command that does not read keeps us here, and its caller silent.
                        forwarding = true;
                        forward(frame);
                        callerSpoke = System.nanoTime();
                        forwarding = false;
                    }
                    default -> {}
                }
            }
            stream.end().close("the caller went away");
        } catch (IOException | StreamEnd.Broken e) {
            stream.end().close("the caller went away");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void forward(Frame frame) throws StreamEnd.Broken, InterruptedException {
        byte[] all = frame.payload();
        if (all.length <= StreamEnd.LONGEST) {
            stream.end().send(frame);
            return;
        }
        for (int at = 0; at < all.length; at += StreamEnd.LONGEST) {
            stream.end()
                    .send(
                            new Frame(
                                    frame.kind(),
                                    java.util.Arrays.copyOfRange(
                                            all,
                                            at,
                                            Math.min(all.length, at + StreamEnd.LONGEST))));
        }
    }

    @Override
    public void close() {
        stream.close();
    }
}

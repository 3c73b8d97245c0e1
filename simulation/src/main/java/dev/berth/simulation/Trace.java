package dev.berth.simulation;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;

/** What happened, in order: the last of it as text, all of it as one number. */
final class Trace {
    private static final int KEPT = 400;

    private final Clock clock;
    private final Instant start;
    private final boolean aloud;
    private final ArrayDeque<String> last = new ArrayDeque<>();
    private long digest = 0xcbf29ce484222325L;
    private long writes;

    Trace(Clock clock, boolean aloud) {
        this.clock = clock;
        this.start = clock.now();
        this.aloud = aloud;
    }

    void say(String what) {
        String line =
                "%9.3f %s"
                        .formatted(Duration.between(start, clock.now()).toMillis() / 1000.0, what);
        for (int i = 0; i < line.length(); i++) {
            digest = (digest ^ line.charAt(i)) * 0x100000001b3L;
        }
        if (aloud) {
            System.out.println(line);
        }
        last.add(line);
        if (last.size() > KEPT) {
            last.removeFirst();
        }
    }

    void wrote() {
        writes++;
        digest = (digest ^ writes) * 0x100000001b3L;
    }

    long writes() {
        return writes;
    }

    /** Equal for equal histories. */
    long digest() {
        return digest;
    }

    List<String> last() {
        return List.copyOf(last);
    }
}

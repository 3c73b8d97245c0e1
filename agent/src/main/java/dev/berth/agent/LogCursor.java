package dev.berth.agent;

import dev.berth.engine.LogEntry;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/**
 * Up to where the reader of a log has come, in a text that the reader keeps: nobody need remember
 * readers, and one who comes back after an hour goes on where it was.
 *
 * <p>A time alone would double or lose lines: several lines have the same time, and a line of one
 * stream may be filed behind a later one of the other. So each stream has its own mark, of a time
 * and how many entries of just that time were read.
 *
 * @param whole whether the log was read up to its end
 */
record LogCursor(Mark out, Mark err, boolean whole) {
    /** By how much entries of the two streams may stand in the wrong order. */
    private static final Duration DISORDER = Duration.ofSeconds(5);

    private static final Mark NOTHING = new Mark(Instant.EPOCH, 0);

    /** Entries of one stream up to a time. */
    record Mark(Instant at, int count) {
        private Mark with(LogEntry entry) {
            return entry.at().equals(at) ? new Mark(at, count + 1) : new Mark(entry.at(), 1);
        }

        private String text() {
            return at.getEpochSecond() + "." + at.getNano() + "/" + count;
        }
    }

    /** Where to begin reading: a little before what was read last, for the disorder's sake. */
    Instant since() {
        Instant early = out.at().isBefore(err.at()) ? out.at() : err.at();
        Instant late = out.at().isBefore(err.at()) ? err.at() : out.at();
        if (late.equals(Instant.EPOCH)) {
            return late;
        }
        Instant enough = late.minus(DISORDER);
        return early.isBefore(enough) ? enough : early;
    }

    static LogCursor parse(String text) {
        String[] marks = text.split(",", -1);
        if (marks.length != 2) {
            throw new ActionException("'" + text + "' is no log cursor");
        }
        return new LogCursor(mark(marks[0], text), mark(marks[1], text), true);
    }

    private static Mark mark(String mark, String text) {
        List<String> parts = Arrays.asList(mark.split("[./]", -1));
        try {
            return new Mark(
                    Instant.ofEpochSecond(
                            Long.parseLong(parts.get(0)), Integer.parseInt(parts.get(1))),
                    Integer.parseInt(parts.get(2)));
        } catch (NumberFormatException | IndexOutOfBoundsException | DateTimeException e) {
            throw new ActionException("'" + text + "' is no log cursor", e);
        }
    }

    @Override
    public String toString() {
        return out.text() + "," + err.text();
    }

    /** Tells what is new and moves on; for one reading. */
    static final class Reading {
        private final LogCursor from;
        private final boolean first;
        private Mark out;
        private Mark err;
        private int outAgain;
        private int errAgain;
        private boolean whole = true;

        private Reading(LogCursor from, boolean first) {
            this.from = from;
            this.first = first;
            this.out = from.out();
            this.err = from.err();
        }

        static Reading first() {
            return new Reading(new LogCursor(NOTHING, NOTHING, true), true);
        }

        static Reading from(LogCursor cursor) {
            return new Reading(cursor, false);
        }

        /** Whether it has not been read before. */
        boolean isNew(LogEntry entry) {
            Mark before = entry.stderr() ? from.err() : from.out();
            if (!entry.at().equals(before.at())) {
                return entry.at().isAfter(before.at());
            }
            int again = entry.stderr() ? ++errAgain : ++outAgain;
            return again > before.count();
        }

        void read(LogEntry entry) {
            boolean blank = out.equals(NOTHING) && err.equals(NOTHING);
            if (first && blank) {
                // Of the other stream nothing before this is wanted either: the tail begins here.
                out = new Mark(entry.at(), 0);
                err = new Mark(entry.at(), 0);
            }
            if (entry.stderr()) {
                err = err.with(entry);
            } else {
                out = out.with(entry);
            }
        }

        /** There was no room for the next one. */
        void cut() {
            whole = false;
        }

        LogCursor cursor() {
            return new LogCursor(out, err, whole);
        }
    }
}

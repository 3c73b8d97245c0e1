package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.DiskRefusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;

/**
 * What the agent writes at the root of a disk about the disk itself, so that every agent on every
 * VM knows it: whose it is, and whether it may be live. Two disks take part in a move of data: the
 * new one is marked as incoming before the first byte comes to it, and is not live while it is; the
 * old one is marked as superseded when all is there, and is never live again.
 */
final class DiskMarks {
    static final String IDENTITY_FILE = ".berth-disk";
    static final String PROBE_FILE = ".berth-probe";

    /** Of its instance, for a director that lost its store; the next deploy writes a newer one. */
    static final String RECORD_FILE = ".berth-record";

    private static final String SUPERSEDED = ".berth-superseded";
    private static final String INCOMING = ".berth-incoming";
    private static final long LARGEST = 1024;

    /** Names at the root of a disk that are the disk's own, and belong to no copy of its data. */
    static final List<String> OWN =
            List.of(
                    IDENTITY_FILE,
                    IDENTITY_FILE + ".new",
                    PROBE_FILE,
                    RECORD_FILE,
                    RECORD_FILE + ".new",
                    SUPERSEDED,
                    SUPERSEDED + ".new",
                    INCOMING,
                    INCOMING + ".new",
                    "lost+found");

    private DiskMarks() {}

    /** The cid that a mounted file system carries; empty when it carries none. */
    static Optional<String> identity(Path at) {
        return text(at.resolve(IDENTITY_FILE)).map(String::strip);
    }

    static void identify(Path at, DiskCid cid) {
        DurableFile.write(at.resolve(IDENTITY_FILE), cid + "\n");
    }

    /** The disk that has taken over the data of this one. */
    static Optional<String> successor(Path at) {
        return text(at.resolve(SUPERSEDED)).map(text -> field(text, "by"));
    }

    static void supersede(Path at, DiskCid successor, Instant now) {
        DurableFile.write(
                at.resolve(SUPERSEDED),
                Json.write(Json.of("by", successor.value(), "at", now.toString())));
    }

    /** A person's decision to go back to the older data. */
    static void revive(Path at) {
        DurableFile.delete(at.resolve(SUPERSEDED));
    }

    /** The disk whose data is on its way to this one. */
    static Optional<String> source(Path at) {
        return text(at.resolve(INCOMING)).map(text -> field(text, "from"));
    }

    /**
     * @param since every file that is here was copied from a source that had been synced then
     */
    static void receive(Path at, DiskCid from, Instant since) {
        DurableFile.write(
                at.resolve(INCOMING),
                Json.write(Json.of("from", from.value(), "since", since.toString())));
    }

    /** What {@link #receive} was told last; the beginning of time when nobody knows. */
    static Instant receivedSince(Path at) {
        try {
            return Instant.parse(text(at.resolve(INCOMING)).map(t -> field(t, "since")).orElse(""));
        } catch (DateTimeParseException e) {
            return Instant.EPOCH;
        }
    }

    static void received(Path at) {
        DurableFile.delete(at.resolve(INCOMING));
    }

    /**
     * Why a disk must not be live.
     *
     * @param words for people, with the remedy
     */
    record NotLive(String words, DiskRefusal refusal) {
        ActionException failure() {
            return new ActionException(words, refusal);
        }
    }

    private static NotLive notLive(DiskRefusal.Reason reason, String other, String words) {
        return new NotLive(words, new DiskRefusal(reason, new DiskCid(other)));
    }

    /** Why the disk must not be live; empty: nothing speaks against it. */
    static Optional<NotLive> notLive(DiskCid cid, Path at) {
        Optional<String> successor = successor(at);
        if (successor.isPresent()) {
            return successor.map(by ->
                    notLive(
                            DiskRefusal.Reason.SUPERSEDED,
                            by,
                            "disk "
                                    + cid
                                    + " was superseded by disk '"
                                    + by
                                    + "', which has all of its data: mount that one; to go back to the older"
                                    + " data mount this one with the option 'revive'"));
        }
        return source(at)
                .map(from ->
                        notLive(
                                DiskRefusal.Reason.UNFINISHED_COPY,
                                from,
                                "disk "
                                        + cid
                                        + " has an unfinished copy of disk '"
                                        + from
                                        + "': mount that one, and ask for the migration again"));
    }

    /** Nothing but what the agent or mkfs made. */
    static boolean isEmpty(Path at) {
        try (var entries = Files.newDirectoryStream(at)) {
            for (Path entry : entries) {
                if (!OWN.contains(String.valueOf(entry.getFileName()))) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** A mark that is there but cannot be read is still a mark. */
    private static String field(String text, String key) {
        try {
            return Fields.of(Json.object(text), "mark").string(key, "(unknown)");
        } catch (IllegalArgumentException e) {
            return "(unreadable)";
        }
    }

    private static Optional<String> text(Path file) {
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return Optional.empty();
            }
            boolean plain =
                    Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                            && Files.size(file) <= LARGEST;
            return Optional.of(plain ? Files.readString(file) : "(not a plain small file)");
        } catch (IOException e) {
            return Optional.of("(unreadable: " + ActionException.words(e) + ")");
        }
    }
}

package dev.berth.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a container is asked to do around a snapshot of its disk, {@code x-berth.backup} of it:
 * commands that bring its files to rest and let them go on. No part of the container's spec, so
 * that a change of them alone restarts nothing.
 *
 * @param pre before the snapshot; one that fails prevents it
 * @param post afterwards, whatever came of it
 * @param verify in a container restored from a backup: success proves that it can use its data
 * @param limit of each command
 */
public record BackupHooks(
        List<List<String>> pre,
        List<List<String>> post,
        @Nullable List<String> verify,
        Duration limit) {
    public static final BackupHooks NONE =
            new BackupHooks(List.of(), List.of(), null, Duration.ofSeconds(60));

    private static final int MOST = 16;
    private static final long LONGEST_SECONDS = 3600;

    /** Of a container of a manifest; {@link #NONE} where it says nothing. */
    public static BackupHooks of(Fields container) {
        var findings = new Findings();
        var spot = new Spot(container.tree(), "", Mark.NONE, findings);
        return read(spot.section());
    }

    /** Reports what is wrong with those of a container. */
    static BackupHooks read(Section container) {
        Section own = container.section("x-berth");
        own.checkKeys(Set.of("backup"), java.util.Map.of());
        if (!own.has("backup")) {
            return NONE;
        }
        Section backup = own.section("backup");
        backup.checkKeys(Set.of("pre", "post", "verify", "timeout"), java.util.Map.of());
        Long seconds = backup.optionalInteger("timeout");
        if (seconds != null && (seconds < 1 || seconds > LONGEST_SECONDS)) {
            backup.at("timeout")
                    .error(40001, "'timeout' is from 1 to " + LONGEST_SECONDS + " seconds", null);
        }
        return new BackupHooks(
                commands(backup, "pre"),
                commands(backup, "post"),
                backup.has("verify") ? command(backup.at("verify")) : null,
                seconds == null ? NONE.limit() : Duration.ofSeconds(seconds));
    }

    private static List<List<String>> commands(Section backup, String key) {
        var commands = new ArrayList<List<String>>();
        for (Spot item : backup.items(key)) {
            commands.add(command(item));
        }
        if (commands.size() > MOST) {
            backup.at(key).error(40001, "at most " + MOST + " commands, please", null);
        }
        return commands;
    }

    /** Words as they are, or one text for a shell. */
    private static List<String> command(Spot item) {
        List<String> words =
                item.value() instanceof List<?>
                        ? item.items().stream().map(Spot::text).toList()
                        : List.of("sh", "-c", item.string());
        if (words.isEmpty() || words.stream().anyMatch(w -> w.contains("(("))) {
            item.error(
                    40001,
                    words.isEmpty()
                            ? "a command has at least one word"
                            : "variables cannot stand in a command: process lists would show them",
                    words.isEmpty() ? null : "read them in the container, from its environment");
        }
        return words;
    }
}

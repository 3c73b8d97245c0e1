package dev.berth.cli;

import static dev.berth.cli.ChangeCommands.encoded;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a person does with single disks. */
final class DiskCommands {
    private static final Pattern SIZE =
            Pattern.compile("([1-9]\\d{0,11})\\s*(m|mb|mib|g|gb|gib|t|tb|tib)?");

    private DiskCommands() {}

    /** MiB, as everywhere in BOSH: 20480, 20GB, 1TiB. */
    static long mebibytes(String text) {
        Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!size.matches()) {
            throw new CliException("'" + text + "' is no size: write 20480 (MiB), 20GB or 1TB");
        }
        String unit = size.group(2) == null ? "m" : size.group(2);
        long factor =
                switch (unit.charAt(0)) {
                    case 'g' -> 1024;
                    case 't' -> 1024 * 1024;
                    default -> 1;
                };
        return Long.parseLong(size.group(1)) * factor;
    }

    @Command(
            name = "resize-disk",
            description =
                    "Gives persistent disks another size: in place where the cloud can, else by copy while containers run.")
    static final class ResizeDisk extends DirectorCommand {
        @Parameters(
                index = "0",
                paramLabel = "GROUP[/INSTANCE]",
                description = "One instance, by index or id, or all of a group.")
        String which = "";

        @Parameters(index = "1", paramLabel = "SIZE", description = "Such as 20GB; in MiB: 20480.")
        String size = "";

        @Option(
                names = "--disk",
                paramLabel = "NAME",
                description = "Which, where the group has several.")
        @Nullable String disk;

        @Option(names = "--allow-shrink", description = "Also to a smaller size, if the data fits.")
        boolean allowShrink;

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            String[] parts = which.split("/", -1);
            if (parts.length > 2 || parts[0].isEmpty()) {
                throw new CliException("'" + which + "' is not GROUP or GROUP/INSTANCE");
            }
            String query =
                    "size_mb="
                            + mebibytes(size)
                            + (parts.length == 2 ? "&instance=" + encoded(parts[1]) : "")
                            + (disk == null ? "" : "&disk=" + encoded(disk))
                            + (allowShrink ? "&allow_shrink=true" : "");
            screen.note("Using deployment '" + name + "'");
            main.confirm();
            long task =
                    Api.taskOf(
                            api.raw(
                                    "PUT",
                                    "/deployments/"
                                            + name
                                            + "/instance_groups/"
                                            + encoded(parts[0])
                                            + "/disks?"
                                            + query,
                                    null,
                                    null,
                                    Map.of()));
            var follower = new TaskFollower(api, screen);
            follower.succeed(task);
            follower.resultOf(task)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .map(line -> Fields.of(Json.parse(line), "result"))
                    .forEach(result -> say(screen, result));
        }

        private static void say(Screen screen, Fields result) {
            screen.line(
                    result.string("instance")
                            + ": "
                            + result.integer("from_mb")
                            + " → "
                            + result.integer("to_mb")
                            + " MB "
                            + result.string("text", ""));
        }
    }

    @Command(
            name = "attach-disk",
            description =
                    "Gives a stopped instance this disk in place of its own, which becomes an orphan.")
    static final class AttachDisk extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "GROUP/ID", description = "A stopped instance.")
        String which = "";

        @Parameters(
                index = "1",
                paramLabel = "CID",
                description = "An orphan, or a disk that only the cloud knows.")
        String cid = "";

        @Option(
                names = "--disk-properties",
                paramLabel = "copy",
                description = "Size and properties of an unknown disk: those of the old one.")
        @Nullable String properties;

        @Option(
                names = "--disk",
                paramLabel = "NAME",
                description = "As which disk, where the group has several.")
        @Nullable String disk;

        @Override
        void run(Main main, Api api, Screen screen) {
            String name = main.requiredDeployment();
            Inside inside = Inside.of(api, name, which);
            if (properties != null && !properties.equals("copy")) {
                throw new CliException("--disk-properties can only be 'copy'");
            }
            screen.note("Using deployment '" + name + "'");
            main.confirm();
            String query =
                    "deployment="
                            + encoded(name)
                            + "&job="
                            + encoded(inside.group())
                            + "&instance_id="
                            + encoded(id(api, inside))
                            + (properties == null ? "" : "&disk_properties=copy")
                            + (disk == null ? "" : "&disk_name=" + encoded(disk));
            String path = "/disks/" + encoded(cid) + "/attachments?" + query;
            follow(api, screen, api.raw("PUT", path, null, null, Map.of()));
        }

        /** The director knows instances by their ids here. */
        private static String id(Api api, Inside inside) {
            return api.list("/deployments/" + inside.deployment() + "/instances").stream()
                    .map(i -> Fields.of(i, "instance"))
                    .filter(i ->
                            i.string("job", "").equals(inside.group())
                                    && (i.string("id", "").equals(inside.instance())
                                            || String.valueOf(i.integer("index", -1))
                                                    .equals(inside.instance())))
                    .map(i -> i.string("id"))
                    .findFirst()
                    .orElse(inside.instance());
        }
    }

    @Command(
            name = "orphan-disk",
            description = "Takes a disk that is attached to no VM from its instance, and keeps it.")
    static final class OrphanDisk extends DirectorCommand {
        @Parameters(index = "0", paramLabel = "CID", description = "As berth disks shows it.")
        String cid = "";

        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirm();
            follow(api, screen, api.delete("/disks/" + encoded(cid) + "?orphan=true"));
        }
    }
}

package dev.berth.model;

import dev.berth.model.ContainerStorage.Volume;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where the data of containers lives.
 *
 * <table>
 * <caption>Sources and what they become</caption>
 * <tr><th>written</th><th>kind</th><th>source</th></tr>
 * <tr><td>a name ({@code data:/in})</td><td>STORE</td><td>{@code volumes/data}</td></tr>
 * <tr><td>{@code bind_volumes: [/in]}</td><td>STORE</td><td>{@code containers/CONTAINER}</td></tr>
 * <tr><td>{@code /var/vcap/store/a/b:/in}</td><td>STORE</td><td>{@code a/b}</td></tr>
 * <tr><td>{@code /var/vcap/data/a:/in}</td><td>DATA</td><td>{@code a}</td></tr>
 * <tr><td>{@code /var/vcap/disks/NAME/a:/in}</td><td>HOST</td><td>the path, made when
 * missing</td></tr>
 * <tr><td>any other absolute path</td><td>HOST</td><td>the path</td></tr>
 * </table>
 *
 * <p>All throw {@link IllegalArgumentException} that says what is wrong and what to write.
 */
final class VolumeFormats {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final String STORE = "/var/vcap/store";
    private static final String DATA = "/var/vcap/data";

    /** What the agent itself keeps at the root of the disk. */
    private static final Set<String> KEPT = Set.of(".berth-disk", "lost+found");

    private VolumeFormats() {}

    /** {@code source:target[:mode]}; a target alone is an anonymous volume and refused. */
    static Volume parse(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length == 1) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' would be an anonymous volume, whose data is lost with the container;"
                            + " give it a name, such as data:"
                            + text);
        }
        if (parts.length > 3) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no volume; write it as SOURCE:TARGET or SOURCE:TARGET:ro");
        }
        String modes = parts.length == 3 ? parts[2] : "rw";
        return propagated(of(parts[0], parts[1], readOnly(modes)), modes);
    }

    static Volume of(String source, String target, boolean readOnly) {
        String in = absolute(target, "target");
        if (NAME.matcher(source).matches()) {
            return new Volume(Volume.Kind.STORE, "volumes/" + source, in, readOnly);
        }
        if (!source.startsWith("/")) {
            throw new IllegalArgumentException(
                    "'"
                            + source
                            + "' is neither a volume's name nor an absolute path; there is no folder"
                            + " it could be relative to");
        }
        String path = absolute(source, "source");
        if (isBelow(path, STORE)) {
            return new Volume(Volume.Kind.STORE, relative(path, STORE), in, readOnly);
        }
        if (isBelow(path, DATA)) {
            return new Volume(Volume.Kind.DATA, relative(path, DATA), in, readOnly);
        }
        if (isBelow(path, GroupDisks.PLACE)) {
            return onNamedDisk(path, in, readOnly);
        }
        return new Volume(Volume.Kind.HOST, path, in, readOnly);
    }

    /** A named volume that lies on a named disk of the instance. */
    static Volume onDisk(String disk, String source, String target, boolean readOnly) {
        if (!NAME.matcher(source).matches()) {
            throw new IllegalArgumentException(
                    "'x-berth.disk' says on which disk a named volume lies, and '"
                            + source
                            + "' is no volume's name");
        }
        String in = absolute(target, "target");
        return onNamedDisk(GroupDisks.PLACE + "/" + disk + "/volumes/" + source, in, readOnly);
    }

    private static Volume onNamedDisk(String path, String target, boolean readOnly) {
        String within = path.equals(GroupDisks.PLACE) ? "" : path.substring(diskEnd(path));
        if (within.length() < 2 || KEPT.contains(within.substring(1).split("/", 2)[0])) {
            throw new IllegalArgumentException(
                    "'"
                            + path
                            + "' is not a folder of its own; name one below "
                            + GroupDisks.PLACE
                            + "/NAME");
        }
        return new Volume(
                Volume.Kind.HOST,
                path,
                target,
                readOnly,
                "",
                new Volume.Options(true, false, 0, 0));
    }

    /** Where in a path below the place of named disks the disk's own place ends. */
    private static int diskEnd(String path) {
        int end = path.indexOf('/', GroupDisks.PLACE.length() + 1);
        return end < 0 ? path.length() : end;
    }

    /** {@code target[:mode]} of {@code bind_volumes}, below the container's {@code store_dir}. */
    static Volume bound(String container, String text, String store) {
        String[] parts = text.split(":", -1);
        if (parts.length > 2) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no container path; write it as /path or /path:ro");
        }
        String modes = parts.length == 2 ? parts[1] : "rw";
        Volume volume = of(store + "/containers/" + container, parts[0], readOnly(modes));
        if (volume.kind() == Volume.Kind.HOST) {
            // as the release did, which made it wherever it was told to
            volume =
                    new Volume(
                            volume.kind(),
                            volume.source(),
                            volume.target(),
                            volume.readOnly(),
                            "",
                            new Volume.Options(true, false, 0, 0));
        }
        return propagated(volume, modes);
    }

    /** An anonymous volume of an old manifest: kept on the ephemeral disk. */
    static Volume anonymous(String container, String target) {
        String in = absolute(target, "path");
        String folder = in.substring(1).replace('/', '-');
        return new Volume(Volume.Kind.DATA, "anonymous/" + container + "/" + folder, in, false);
    }

    /** A folder of it, for volumes that the manifest divides. */
    static Volume below(Volume volume, @Nullable String subpath) {
        if (subpath == null) {
            return volume;
        }
        if (subpath.startsWith("/") || List.of(subpath.split("/")).contains("..")) {
            throw new IllegalArgumentException("'" + subpath + "' is no path within a volume");
        }
        return new Volume(
                volume.kind(),
                volume.source() + "/" + subpath,
                volume.target(),
                volume.readOnly(),
                "",
                volume.options());
    }

    static String target(String path) {
        return absolute(path, "target");
    }

    private static Volume propagated(Volume volume, String modes) {
        for (String mode : modes.split(",")) {
            if (mode.endsWith("shared") || mode.endsWith("slave") || mode.endsWith("private")) {
                return new Volume(
                        volume.kind(),
                        volume.source(),
                        volume.target(),
                        volume.readOnly(),
                        mode,
                        volume.options());
            }
        }
        return volume;
    }

    private static boolean readOnly(String modes) {
        boolean readOnly = false;
        for (String mode : modes.split(",")) {
            switch (mode) {
                case "ro" -> readOnly = true;
                // relabelling concerns SELinux, which the VMs do not run; nothing is ever copied
                // from an image into a volume; consistency was for Docker on a Mac
                case "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent" -> {}
                case "shared", "rshared", "slave", "rslave", "private", "rprivate" -> {}
                default ->
                        throw new IllegalArgumentException(
                                "the mode '" + mode + "' is not supported: ro or rw");
            }
        }
        return readOnly;
    }

    private static boolean isBelow(String path, String root) {
        return path.equals(root) || path.startsWith(root + "/");
    }

    private static String relative(String path, String root) {
        String relative = path.equals(root) ? "" : path.substring(root.length() + 1);
        String first = relative.split("/", 2)[0];
        if (relative.isEmpty() || KEPT.contains(first)) {
            throw new IllegalArgumentException(
                    "'" + path + "' is not a folder of its own; name one below " + root);
        }
        return relative;
    }

    /** Without double slashes, dots and trailing slashes; {@code ..} is refused. */
    private static String absolute(String path, String what) {
        if (!path.startsWith("/") || path.indexOf('\0') >= 0 || path.length() > 4_096) {
            throw new IllegalArgumentException(
                    "the " + what + " '" + path + "' must be an absolute path");
        }
        if (List.of(path.split("/")).contains("..")) {
            throw new IllegalArgumentException(
                    "the " + what + " '" + path + "' must not contain '..'");
        }
        String plain = Path.of(path).normalize().toString();
        if (plain.equals("/") && !what.equals("source")) {
            throw new IllegalArgumentException("the " + what + " cannot be '/'");
        }
        return plain;
    }
}

package dev.berth.model;

import static dev.berth.model.ContainerKeys.reading;

import dev.berth.model.ContainerStorage.Volume;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compose's long form of a volume. */
record LongVolume(Section volume) {
    private static final Set<String> PROPAGATION =
            Set.of("private", "rprivate", "shared", "rshared", "slave", "rslave");

    @Nullable Volume read() {
        volume.checkKeys(
                Set.of("type", "source", "target", "read_only", "bind", "volume", "tmpfs"),
                Map.of("consistency", "it concerned Docker on a Mac"));
        String type = volume.string("type");
        return switch (type) {
            case "", "bind", "volume" -> disk();
            case "tmpfs" -> memory();
            case "image" ->
                    refused("an image cannot be mounted", "copy its files by a one-shot container");
            case "npipe" -> refused("named pipes are of Windows", "bind a socket of the VM");
            case "cluster" ->
                    refused("cluster volumes are of Swarm", "a named volume is on the VM's disk");
            default -> refused("'" + type + "' is no type of volume", "volume, bind or tmpfs");
        };
    }

    private @Nullable Volume refused(String what, String remedy) {
        volume.at("type").error(what, remedy);
        return null;
    }

    private @Nullable Volume disk() {
        var bind = new ContainerKeys(volume.section("bind"), false);
        bind.section()
                .checkKeys(
                        Set.of("create_host_path", "propagation", "recursive"),
                        Map.of("selinux", "the VMs do not run SELinux"));
        var named = new ContainerKeys(volume.section("volume"), false);
        named.section()
                .checkKeys(
                        Set.of("subpath"),
                        Map.of(
                                "nocopy", "files of the image are never copied into a volume",
                                "labels", "a volume is a folder of the disk"));
        String source = volume.string("source");
        String target = volume.string("target");
        boolean readOnly = volume.flag("read_only", false);
        String propagation = bind.word("propagation", PROPAGATION);
        String recursive = bind.word("recursive", Set.of("enabled", "disabled"));
        String below = named.text("subpath");
        String disk = volume.has("x-berth.disk") ? volume.string("x-berth.disk") : "";
        if (source.isEmpty() || target.isEmpty()) {
            return null;
        }
        Volume read =
                reading(
                        volume.spot(),
                        t -> VolumeFormats.below(onDisk(disk, source, t, readOnly), below),
                        target);
        if (read == null) {
            return null;
        }
        var options =
                new Volume.Options(
                        read.kind() == Volume.Kind.HOST
                                && (read.options().create() || bind.flag("create_host_path")),
                        "disabled".equals(recursive),
                        0,
                        0);
        return new Volume(
                read.kind(),
                read.source(),
                read.target(),
                readOnly,
                propagation == null ? "" : propagation,
                options);
    }

    private static Volume onDisk(String disk, String source, String target, boolean readOnly) {
        return disk.isEmpty()
                ? VolumeFormats.of(source, target, readOnly)
                : VolumeFormats.onDisk(disk, source, target, readOnly);
    }

    private @Nullable Volume memory() {
        var tmpfs = new ContainerKeys(volume.section("tmpfs"), false);
        tmpfs.section().checkKeys(Set.of("size", "mode"), Map.of());
        String target = volume.string("target");
        Long size = tmpfs.bytes("size");
        Spot modeSpot = tmpfs.at("mode");
        Integer mode =
                modeSpot.value() == null
                        ? null
                        : reading(modeSpot, ContainerFormats::mode, ContainerKeys.textOf(modeSpot));
        String path = reading(volume.spot(), VolumeFormats::target, target);
        return path == null
                ? null
                : new Volume(
                        Volume.Kind.TMPFS,
                        "",
                        path,
                        volume.flag("read_only", false),
                        "",
                        new Volume.Options(
                                false, false, size == null ? 0 : size, mode == null ? 0 : mode));
    }
}

package dev.berth.model;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What a container sees of disks and memory file systems.
 *
 * @param tmpfs mount options by path; empty options are the engine's
 * @param secrets files below {@code /run/secrets} unless said otherwise
 * @param configs files at the place each names
 * @param storageOptions of the engine's storage driver
 * @param readOnly whether the container's own file system is
 */
public record ContainerStorage(
        List<Volume> volumes,
        List<VolumesFrom> volumesFrom,
        Map<String, String> tmpfs,
        List<MountedFile> secrets,
        List<MountedFile> configs,
        Map<String, String> storageOptions,
        boolean readOnly) {
    /** Where the persistent disks with a name are mounted, each in a folder of its name. */
    public static final String NAMED_DISKS = "/var/vcap/disks/";

    public static final ContainerStorage DEFAULT =
            new ContainerStorage(
                    List.of(), List.of(), Map.of(), List.of(), List.of(), Map.of(), false);

    /**
     * A mount.
     *
     * @param source for STORE a directory below the persistent disk, for DATA one below the
     *     ephemeral disk (both relative, made when missing), for HOST an absolute path of the VM;
     *     empty for TMPFS
     * @param propagation the Engine's word; empty: its default
     * @param options the rest, which few volumes have
     */
    public record Volume(
            Kind kind,
            String source,
            String target,
            boolean readOnly,
            String propagation,
            Options options) {
        /**
         * Where the bytes live: on the persistent disk, on the ephemeral disk, at a path of the VM,
         * or in memory.
         */
        public enum Kind {
            STORE,
            DATA,
            HOST,
            TMPFS
        }

        /**
         * @param create whether a missing HOST directory is made
         * @param flat whether mounts below the source are left out
         * @param sizeBytes of a TMPFS; 0: no limit of its own
         * @param mode of a TMPFS, permission bits; 0: the engine's
         */
        public record Options(boolean create, boolean flat, long sizeBytes, int mode) {
            public static final Options DEFAULT = new Options(false, false, 0, 0);
        }

        public Volume(Kind kind, String source, String target, boolean readOnly) {
            this(kind, source, target, readOnly, "", Options.DEFAULT);
        }

        /** Name of the disk with a name on which it lies; empty: on none of these. */
        public String namedDisk() {
            return kind == Kind.HOST && source.startsWith(NAMED_DISKS)
                    ? source.substring(NAMED_DISKS.length()).split("/", 2)[0]
                    : "";
        }
    }

    /**
     * The volumes of another container of the instance, at the same places; implies a dependency.
     *
     * @param persistent whether some of them are on the persistent disk
     * @param disks names of the disks with a name on which some of them are
     */
    public record VolumesFrom(
            String container, boolean readOnly, boolean persistent, List<String> disks) {
        public VolumesFrom(String container, boolean readOnly, boolean persistent) {
            this(container, readOnly, persistent, List.of());
        }
    }

    /**
     * A small file whose content comes with the spec. It is kept in memory on the VM, and never in
     * what the engine tells of the container.
     *
     * @param target absolute path in the container
     * @param mode permission bits
     */
    public record MountedFile(
            String source, String target, Secret content, int uid, int gid, int mode) {}

    ContainerStorage inheriting(Function<String, Set<String>> disksOf) {
        return new ContainerStorage(
                volumes,
                volumesFrom.stream().map(v -> inherited(v, disksOf.apply(v.container()))).toList(),
                tmpfs,
                secrets,
                configs,
                storageOptions,
                readOnly);
    }

    private static VolumesFrom inherited(VolumesFrom from, Set<String> disks) {
        return new VolumesFrom(
                from.container(),
                from.readOnly(),
                disks.contains(""),
                disks.stream().filter(name -> !name.isEmpty()).toList());
    }

    /** Names of the persistent disks that hold its data; the one at {@code store} has none: "". */
    Set<String> persistentDisks() {
        var names = new TreeSet<String>();
        if (usesPersistentDisk()) {
            names.add("");
        }
        volumes.stream().map(Volume::namedDisk).filter(name -> !name.isEmpty()).forEach(names::add);
        volumesFrom.forEach(from -> names.addAll(from.disks()));
        return names;
    }

    boolean usesPersistentDisk() {
        return volumes.stream().anyMatch(v -> v.kind() == Volume.Kind.STORE)
                || volumesFrom.stream().anyMatch(VolumesFrom::persistent);
    }
}

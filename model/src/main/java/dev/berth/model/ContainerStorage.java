package dev.berth.model;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

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
    }

    /**
     * The volumes of another container of the instance, at the same places; implies a dependency.
     *
     * @param persistent whether some of them are on the persistent disk
     */
    public record VolumesFrom(String container, boolean readOnly, boolean persistent) {}

    /**
     * A small file whose content comes with the spec. It is kept in memory on the VM, and never in
     * what the engine tells of the container.
     *
     * @param target absolute path in the container
     * @param mode permission bits
     */
    public record MountedFile(
            String source, String target, Secret content, int uid, int gid, int mode) {}

    ContainerStorage inheriting(Predicate<String> keepsData) {
        return new ContainerStorage(
                volumes,
                volumesFrom.stream()
                        .map(v ->
                                new VolumesFrom(
                                        v.container(), v.readOnly(), keepsData.test(v.container())))
                        .toList(),
                tmpfs,
                secrets,
                configs,
                storageOptions,
                readOnly);
    }

    boolean usesPersistentDisk() {
        return volumes.stream().anyMatch(v -> v.kind() == Volume.Kind.STORE)
                || volumesFrom.stream().anyMatch(VolumesFrom::persistent);
    }
}

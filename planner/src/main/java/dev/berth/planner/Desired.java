package dev.berth.planner;

import dev.berth.model.MigratedFrom;
import dev.berth.model.ProblemException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a deployment should be: the manifest, the cloud config and the stemcells boiled down to what
 * planning needs. Validated by the model; the planner refuses only what depends on what exists.
 *
 * @param groups in the order of the manifest
 * @param tags put on VMs and disks as metadata; a difference to the last deploy updates them
 */
public record Desired(String deployment, List<Group> groups, Map<String, String> tags) {
    /**
     * @param azs empty: the group names none
     * @param vms what VMs are made of, per az; the key is {@code ""} when the group has no azs
     * @param env raw: placeholders in place of secrets
     * @param disks each name at most once
     * @param migratedFrom groups of former deploys whose instances it takes over
     * @param configurationHash digest over the group's containers, images pinned; never empty
     * @param state asked for the whole group; null: as recorded. {@code started}, {@code stopped},
     *     {@code detached}, {@code restart}, {@code recreate}
     * @param instanceStates the same per instance, keyed by id or index
     */
    public record Group(
            String name,
            int instances,
            List<String> azs,
            Map<String, VmWish> vms,
            Map<String, Object> env,
            List<NetworkUse> networks,
            List<DiskWish> disks,
            List<MigratedFrom> migratedFrom,
            String configurationHash,
            Update update,
            @Nullable String state,
            Map<String, String> instanceStates) {
        VmWish vm(@Nullable String az) {
            VmWish wish = vms.get(az == null ? "" : az);
            if (wish == null) {
                throw new IllegalArgumentException("group " + name + " says no VM for az " + az);
            }
            return wish;
        }
    }

    /**
     * @param stemcell {@code name/version}
     * @param cloudProperties of az, VM type and extensions, merged
     */
    public record VmWish(
            String cpi,
            String stemcell,
            String stemcellCid,
            int stemcellApiVersion,
            Map<String, Object> cloudProperties) {}

    /**
     * @param canaries of the instances handled in one go
     * @param maxInFlight the same; below 1 it becomes 1
     * @param rollsBack whether a failed update puts the containers of before back
     */
    public record Update(
            Share canaries,
            Share maxInFlight,
            Plan.WatchTime canaryWatch,
            Plan.WatchTime updateWatch,
            boolean serial,
            boolean rollsBack) {}

    /** A number, or a percentage of those handled. */
    public record Share(int amount, boolean percent) {
        /** {@code 3} or {@code 20%}. */
        public static Share parse(String text) {
            String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
            if (!number.matches("\\d{1,9}")) {
                throw new ProblemException(
                        100, "'" + text + "' should be an integer or a percentage");
            }
            return new Share(Integer.parseInt(number), text.endsWith("%"));
        }

        /** Rounded down, never more than there are. */
        public int of(int size) {
            long share = percent ? (long) amount * size / 100 : amount;
            return (int) Math.min(share, size);
        }
    }

    /**
     * A network as a group uses it.
     *
     * @param staticIps single addresses in the order of the manifest; empty: dealt automatically
     * @param defaults any of {@code dns}, {@code gateway}, {@code addressable}
     */
    public record NetworkUse(Network network, List<String> staticIps, List<String> defaults) {
        String name() {
            return network.name();
        }

        boolean isStatic() {
            return !staticIps.isEmpty();
        }
    }

    /** A manual network. */
    public record Network(String name, List<Subnet> subnets) {}

    /**
     * @param range CIDR
     * @param gateway null: none
     * @param reserved addresses, CIDR blocks or {@code A - B}: never given out
     * @param statics the same; given out only on request
     * @param azs empty: serves all
     */
    public record Subnet(
            String range,
            @Nullable String gateway,
            List<String> dns,
            List<String> reserved,
            List<String> statics,
            List<String> azs,
            Map<String, Object> cloudProperties) {}

    /**
     * A persistent disk of each instance.
     *
     * @param name empty: the managed one
     * @param type name of the disk type; empty: only a size was given. It moves nothing
     * @param fileSystem for a disk that is made; one that is there has to be copied onto another
     *     only where {@code fileSystemChosen} by the disk type
     * @param raw neither formatted nor mounted
     * @param manifestMb the size in the manifest, where a person gave the instance's disk another;
     *     0: there is no such word
     */
    public record DiskWish(
            String name,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String type,
            String fileSystem,
            boolean fileSystemChosen,
            List<String> mountOptions,
            boolean raw,
            long manifestMb) {
        /** A managed disk about which nothing more is said. */
        public DiskWish(long sizeMb, Map<String, Object> cloudProperties, String type) {
            this("", sizeMb, cloudProperties, type, "ext4", false, List.of(), false, 0);
        }

        DiskWish ofSize(long otherMb, long inManifestMb) {
            return new DiskWish(
                    name,
                    otherMb,
                    cloudProperties,
                    type,
                    fileSystem,
                    fileSystemChosen,
                    mountOptions,
                    raw,
                    inManifestMb);
        }

        /** As the disk was made; how it is mounted is still as wished. */
        DiskWish of(Recorded.Disk disk) {
            return new DiskWish(
                    name,
                    disk.sizeMb(),
                    disk.cloudProperties(),
                    type,
                    disk.fileSystem().isEmpty() ? fileSystem : disk.fileSystem(),
                    fileSystemChosen,
                    mountOptions,
                    raw,
                    disk.manifestMb());
        }

        /** {@code disk}, or {@code disk 'data'}. */
        public String text() {
            return DiskNames.text(name);
        }
    }
}

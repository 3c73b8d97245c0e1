package dev.berth.planner;

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
            @Nullable DiskWish disk,
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
     * @param type name of the disk type; empty: only a size was given
     */
    public record DiskWish(long sizeMb, Map<String, Object> cloudProperties, String type) {}
}

package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What manifests may refer to: zones, networks, kinds of VMs and disks. All {@code
 * cloud_properties} are raw: placeholders in them are resolved when a CPI is called.
 *
 * @param compilation null when the config leaves it out, which Berth allows as long as nothing is
 *     compiled
 * @param registries how registries outside of the environment are reached, for all deployments; raw
 *     until {@link #registries(Interpolation)}
 * @param vmPools Berth's own: spare VMs
 */
public record CloudConfig(
        List<Az> azs,
        List<Network> networks,
        List<VmType> vmTypes,
        List<VmExtension> vmExtensions,
        List<DiskType> diskTypes,
        @Nullable Compilation compilation,
        List<RegistryLogin> registries,
        List<VmPool> vmPools,
        List<Problem> warnings) {
    public static final CloudConfig EMPTY =
            new CloudConfig(
                    List.of(), List.of(), List.of(), List.of(), List.of(), null, List.of(),
                    List.of(), List.of());

    /** A zone; {@code cpi} null: the default one. */
    public record Az(String name, Map<String, Object> cloudProperties, @Nullable String cpi) {}

    /** A kind of VM. */
    public record VmType(String name, Map<String, Object> cloudProperties) {}

    /** Cloud properties laid over those of a VM type. */
    public record VmExtension(String name, Map<String, Object> cloudProperties) {}

    /** A kind of persistent disk; 0 MiB: none. */
    public record DiskType(
            String name, long sizeMb, Map<String, Object> cloudProperties, DiskFormat format) {}

    /** Where packages are compiled; kept for when they are. */
    public record Compilation(
            int workers,
            String network,
            @Nullable String az,
            @Nullable String vmType,
            Map<String, Object> cloudProperties) {}

    /**
     * Spare VMs that are kept ready.
     *
     * @param size how many; 0: none
     * @param az null: they serve groups of any zone whose cloud properties are theirs
     * @param env that of the groups whose instances may take one, to the letter
     */
    public record VmPool(
            String name,
            int size,
            String vmType,
            List<String> vmExtensions,
            StemcellRef stemcell,
            String network,
            @Nullable String az,
            Map<String, Object> env) {}

    /**
     * A persistent disk that a group asks for.
     *
     * @param name empty: the managed one, at {@code /var/vcap/store}
     * @param raw neither formatted nor mounted
     */
    public record DiskWish(
            String name,
            String type,
            long sizeMb,
            Map<String, Object> cloudProperties,
            DiskFormat format,
            boolean raw) {}

    /**
     * The registries with the values of variables: for the moment of use only (rule R8).
     *
     * @throws ProblemException with every placeholder that cannot be resolved
     */
    public List<RegistryLogin> registries(Interpolation variables) {
        var findings = new Findings();
        var logins = new ArrayList<RegistryLogin>();
        for (int i = 0; i < registries.size(); i++) {
            String place = "cloud config registries[" + i + "]";
            logins.add(variables.resolve(registries.get(i), place, findings));
        }
        findings.throwIfAny();
        return List.copyOf(logins);
    }

    public Optional<Az> az(String name) {
        return azs.stream().filter(a -> a.name().equals(name)).findFirst();
    }

    public Optional<Network> network(String name) {
        return networks.stream().filter(n -> n.name().equals(name)).findFirst();
    }

    public Optional<VmType> vmType(String name) {
        return vmTypes.stream().filter(t -> t.name().equals(name)).findFirst();
    }

    public Optional<VmExtension> vmExtension(String name) {
        return vmExtensions.stream().filter(e -> e.name().equals(name)).findFirst();
    }

    public Optional<DiskType> diskType(String name) {
        return diskTypes.stream().filter(t -> t.name().equals(name)).findFirst();
    }

    /**
     * What the CPI is given for a VM of the group in a zone: the zone's properties, then the VM
     * type's, then each extension's; later ones win key by key.
     */
    public Map<String, Object> vmCloudProperties(InstanceGroup group, @Nullable String az) {
        return vmCloudProperties(group.vmType(), group.vmExtensions(), az);
    }

    /** The same for a spare VM of a pool. */
    public Map<String, Object> vmCloudProperties(VmPool pool) {
        return vmCloudProperties(pool.vmType(), pool.vmExtensions(), pool.az());
    }

    private Map<String, Object> vmCloudProperties(
            @Nullable String vmType, List<String> extensions, @Nullable String az) {
        var merged = new LinkedHashMap<String, Object>();
        if (az != null) {
            az(az).ifPresent(a -> merged.putAll(a.cloudProperties()));
        }
        if (vmType != null) {
            vmType(vmType).ifPresent(t -> merged.putAll(t.cloudProperties()));
        }
        for (String extension : extensions) {
            vmExtension(extension).ifPresent(e -> merged.putAll(e.cloudProperties()));
        }
        return merged;
    }

    /** The disks of each instance of the group; of size 0 there is none. */
    public List<DiskWish> disks(InstanceGroup group) {
        GroupDisks wanted = group.disks();
        var disks = new ArrayList<DiskWish>();
        if (wanted.type() != null) {
            diskType(wanted.type()).ifPresent(t -> disks.add(wish("", t, false)));
        } else {
            disks.add(new DiskWish("", "", wanted.sizeMb(), Map.of(), DiskFormat.DEFAULT, false));
        }
        for (GroupDisks.Named named : wanted.named()) {
            diskType(named.type()).ifPresent(t -> disks.add(wish(named.name(), t, named.raw())));
        }
        disks.removeIf(d -> d.sizeMb() <= 0);
        return List.copyOf(disks);
    }

    /** The managed one of them. */
    public Optional<DiskWish> disk(InstanceGroup group) {
        return disks(group).stream().filter(d -> d.name().isEmpty()).findFirst();
    }

    private static DiskWish wish(String name, DiskType type, boolean raw) {
        return new DiskWish(
                name, type.name(), type.sizeMb(), type.cloudProperties(), type.format(), raw);
    }
}

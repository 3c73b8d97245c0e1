package dev.berth.model;

import dev.berth.model.CloudConfig.VmExtension;
import dev.berth.model.CloudConfig.VmPool;
import dev.berth.model.CloudConfig.VmType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Reads {@code vm_pools} of a cloud config against the rest of it. */
final class VmPoolReader {
    /** A slip of the finger must not fill a cloud. */
    private static final int MOST = 100;

    private static final int UNKNOWN = 190100;
    private static final Set<String> KEYS =
            Set.of("name", "size", "vm_type", "vm_extensions", "stemcell", "network", "az", "env");

    private final List<String> zones;
    private final List<Network> networks;
    private final List<VmType> vmTypes;
    private final List<VmExtension> extensions;

    VmPoolReader(
            List<String> zones,
            List<Network> networks,
            List<VmType> vmTypes,
            List<VmExtension> extensions) {
        this.zones = zones;
        this.networks = networks;
        this.vmTypes = vmTypes;
        this.extensions = extensions;
    }

    List<VmPool> read(Section root) {
        var pools = new ArrayList<VmPool>();
        var names = new HashSet<String>();
        for (Section pool : root.sections("vm_pools")) {
            pool.checkKeys(KEYS, Map.of());
            String name = pool.string("name");
            if (!name.isEmpty() && !name.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}")) {
                pool.at("name")
                        .error(
                                UNKNOWN,
                                "'" + name + "' is no name for a vm pool",
                                "letters, digits, '-', '_' and '.', at most 100 of them");
            }
            if (!name.isEmpty() && !names.add(name)) {
                pool.at("name").error(UNKNOWN, "Duplicate vm pool name '" + name + "'", null);
            }
            pools.add(
                    new VmPool(
                            name,
                            size(pool),
                            known(
                                    pool.at("vm_type"),
                                    pool.string("vm_type"),
                                    "vm type",
                                    named -> has(vmTypes, VmType::name, named)),
                            extensions(pool),
                            stemcell(pool),
                            network(pool),
                            az(pool),
                            pool.map("env")));
        }
        return List.copyOf(pools);
    }

    private static int size(Section pool) {
        long size = pool.integer("size");
        if (size < 0 || size > MOST) {
            pool.at("size")
                    .error(
                            UNKNOWN,
                            "size of a vm pool is " + size,
                            "it takes 0 (no spare VMs) to " + MOST);
        }
        return (int) Math.clamp(size, 0, MOST);
    }

    private static <T> boolean has(
            List<T> all, java.util.function.Function<T, String> name, String named) {
        return all.stream().map(name).anyMatch(named::equals);
    }

    private static String known(Spot spot, String name, String what, Predicate<String> isKnown) {
        if (!name.isEmpty() && !isKnown.test(name)) {
            spot.error(
                    UNKNOWN, "A vm pool references an unknown " + what + " '" + name + "'", null);
        }
        return name;
    }

    private List<String> extensions(Section pool) {
        List<String> names = pool.strings("vm_extensions");
        names.forEach(name ->
                known(
                        pool.at("vm_extensions"),
                        name,
                        "vm extension",
                        named -> has(extensions, VmExtension::name, named)));
        return names;
    }

    private static StemcellRef stemcell(Section pool) {
        Section stemcell = pool.section("stemcell");
        stemcell.checkKeys(Set.of("name", "os", "version"), Map.of());
        if (!stemcell.has("name") && !stemcell.has("os")) {
            pool.spot()
                    .error(
                            UNKNOWN,
                            "A vm pool says no stemcell",
                            "stemcell: {os: OS, version: VERSION} or {name: NAME, version:"
                                    + " VERSION}; 'latest' is a version too");
        }
        String version = stemcell.optionalString("version");
        return new StemcellRef(
                "",
                stemcell.optionalString("os"),
                stemcell.optionalString("name"),
                version == null ? "latest" : version);
    }

    /** The only one need not be named. */
    private String network(Section pool) {
        String named = pool.optionalString("network");
        if (named == null && networks.size() == 1) {
            named = networks.getFirst().name();
        }
        if (named == null) {
            pool.spot()
                    .error(
                            UNKNOWN,
                            "A vm pool says no network",
                            "network: NAME, as there are more");
            return "";
        }
        String name = named;
        Network found =
                networks.stream().filter(n -> n.name().equals(name)).findFirst().orElse(null);
        known(pool.at("network"), name, "network", ignored -> found != null);
        if (found != null && !(found instanceof Network.Manual)) {
            pool.at("network")
                    .error(
                            UNKNOWN,
                            "Network '" + name + "' of a vm pool is not a manual one",
                            "VMs can be deployed onto manual networks only");
        }
        return name;
    }

    private @Nullable String az(Section pool) {
        String az = pool.optionalString("az");
        if (az != null) {
            known(pool.at("az"), az, "az", zones::contains);
        }
        return az;
    }
}

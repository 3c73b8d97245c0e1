package dev.berth.model;

import dev.berth.model.CloudConfig.Az;
import dev.berth.model.CloudConfig.Compilation;
import dev.berth.model.CloudConfig.DiskType;
import dev.berth.model.CloudConfig.VmExtension;
import dev.berth.model.CloudConfig.VmType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads cloud configs, telling all that is wrong with one at once. */
public final class CloudConfigs {
    private static final Set<String> KEYS =
            Set.of(
                    "azs",
                    "networks",
                    "vm_types",
                    "vm_extensions",
                    "disk_types",
                    "compilation",
                    "registries",
                    "vm_pools");

    private CloudConfigs() {}

    /** Reads a config without any values of variables. */
    public static CloudConfig parse(YamlDocument document) {
        return parse(document, Interpolation.NONE);
    }

    /**
     * Reads a config, {@link #merged} before when there are several.
     *
     * @param variables values for everything but {@code cloud_properties}, which stay raw; names
     *     must be absolute: {@link Interpolation#absoluteOnly}
     * @throws ProblemException with every problem found
     */
    public static CloudConfig parse(YamlDocument document, Interpolation variables) {
        var findings = new Findings();
        if (document.root() == null) {
            throw new ProblemException(440001, "Manifest should not be empty");
        }
        Section root = Section.root(variables.early(document, List.of(), findings), findings);
        root.checkKeys(KEYS, Map.of());
        List<Az> azs = azs(root);
        List<String> zones = azs.stream().map(Az::name).toList();
        List<Network> networks = new NetworkReader(zones).read(root);
        if (networks.isEmpty()) {
            root.at("networks").error(190008, "No networks specified", null);
        }
        List<VmType> vmTypes = vmTypes(root);
        List<VmExtension> extensions = vmExtensions(root);
        var pools = new VmPoolReader(zones, networks, vmTypes, extensions).read(root);
        var config =
                new CloudConfig(
                        azs,
                        networks,
                        vmTypes,
                        extensions,
                        diskTypes(root),
                        compilation(root, zones, networks, vmTypes),
                        RegistryLogins.ofAll(root),
                        pools,
                        findings.warnings());
        findings.throwIfAny();
        return config;
    }

    /**
     * Merges several named configs in their order: lists are joined.
     *
     * @throws ProblemException when more than one has a {@code compilation}
     */
    public static YamlDocument merged(List<YamlDocument> documents) {
        if (documents.size() == 1) {
            return documents.getFirst();
        }
        var merged = new LinkedHashMap<String, Object>();
        for (YamlDocument document : documents) {
            document.tree()
                    .forEach((key, value) -> {
                        Object before = merged.get(key);
                        if (key.equals("compilation") && before != null) {
                            throw new ProblemException(
                                    570000,
                                    "Cloud config 'compilation' key cannot be defined in"
                                            + " multiple cloud configs.");
                        }
                        if (before instanceof List<?> list && value instanceof List<?> more) {
                            var joined = new ArrayList<Object>(list);
                            joined.addAll(more);
                            merged.put(key, joined);
                        } else {
                            merged.put(key, value);
                        }
                    });
        }
        return YamlDocument.of(merged);
    }

    private static List<Az> azs(Section root) {
        var azs = new ArrayList<Az>();
        for (Section az : root.sections("azs")) {
            az.checkKeys(Set.of("name", "cloud_properties", "cpi"), Map.of());
            azs.add(
                    new Az(
                            az.string("name"),
                            az.map("cloud_properties"),
                            az.optionalString("cpi")));
        }
        unique(root, "azs", azs, Az::name, 190017, "az");
        return azs;
    }

    private static List<VmType> vmTypes(Section root) {
        var types = new ArrayList<VmType>();
        for (Section type : root.sections("vm_types")) {
            type.checkKeys(Set.of("name", "cloud_properties"), Map.of());
            types.add(new VmType(type.string("name"), type.map("cloud_properties")));
        }
        unique(root, "vm_types", types, VmType::name, 190004, "vm type");
        return types;
    }

    private static List<VmExtension> vmExtensions(Section root) {
        var extensions = new ArrayList<VmExtension>();
        for (Section extension : root.sections("vm_extensions")) {
            extension.checkKeys(Set.of("name", "cloud_properties"), Map.of());
            extensions.add(
                    new VmExtension(extension.string("name"), extension.map("cloud_properties")));
        }
        unique(root, "vm_extensions", extensions, VmExtension::name, 190005, "vm extension");
        return extensions;
    }

    private static List<DiskType> diskTypes(Section root) {
        var types = new ArrayList<DiskType>();
        for (Section type : root.sections("disk_types")) {
            type.checkKeys(
                    Set.of("name", "disk_size", "cloud_properties", "file_system", "mount_options"),
                    Map.of());
            String name = type.string("name");
            long size = type.integer("disk_size");
            if (size < 0) {
                type.at("disk_size")
                        .error(
                                200001,
                                "Disk types '%s' references an invalid persistent disk size"
                                        .formatted(name),
                                null);
            }
            types.add(
                    new DiskType(
                            name,
                            Math.max(0, size),
                            type.map("cloud_properties"),
                            DiskFormat.read(type)));
        }
        unique(root, "disk_types", types, DiskType::name, 190013, "disk type");
        return types;
    }

    private static <T> void unique(
            Section root,
            String key,
            List<T> list,
            Function<T, String> name,
            int code,
            String what) {
        var seen = new ArrayList<String>();
        for (T item : list) {
            String each = name.apply(item);
            if (!each.isEmpty() && seen.contains(each)) {
                Spot spot = root.items(key).get(seen.size());
                spot.error(code, "Duplicate " + what + " name '" + each + "'", null);
            }
            seen.add(each);
        }
    }

    private static @Nullable Compilation compilation(
            Section root, List<String> azs, List<Network> networks, List<VmType> vmTypes) {
        if (!root.has("compilation")) {
            return null;
        }
        Section compilation = root.section("compilation");
        compilation.checkKeys(
                Set.of(
                        "workers",
                        "network",
                        "az",
                        "vm_type",
                        "vm_resources",
                        "cloud_properties",
                        "vm_extensions",
                        "reuse_compilation_vms",
                        "orphan_workers",
                        "env"),
                Map.of());
        long workers = compilation.integer("workers");
        if (compilation.has("workers") && workers < 1) {
            compilation
                    .at("workers")
                    .error(
                            40002,
                            "'workers' value (%d) should be greater than 1".formatted(workers),
                            null);
        }
        String network = compilation.string("network");
        if (!network.isEmpty() && networks.stream().noneMatch(n -> n.name().equals(network))) {
            compilation
                    .at("network")
                    .error(
                            120001,
                            "Compilation config references an unknown network '%s'"
                                    .formatted(network),
                            null);
        }
        String az = compilation.optionalString("az");
        if (az != null && !azs.contains(az)) {
            compilation
                    .at("az")
                    .error(
                            120002,
                            "Compilation config references unknown az '%s'. Known azs are: [%s]"
                                    .formatted(az, String.join(", ", azs)),
                            null);
        }
        String vmType = compilation.optionalString("vm_type");
        if (vmType != null && vmTypes.stream().noneMatch(t -> t.name().equals(vmType))) {
            compilation
                    .at("vm_type")
                    .error(
                            120003,
                            "Compilation config references unknown vm type '%s'. Known vm types are: %s"
                                    .formatted(
                                            vmType,
                                            vmTypes.stream()
                                                    .map(VmType::name)
                                                    .collect(Collectors.joining(", "))),
                            null);
        }
        return new Compilation(
                (int) Math.min(workers, Integer.MAX_VALUE),
                network,
                az,
                vmType,
                compilation.map("cloud_properties"));
    }
}

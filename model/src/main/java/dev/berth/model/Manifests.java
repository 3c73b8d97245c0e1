package dev.berth.model;

import dev.berth.model.VariableDefinition.UpdateMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads deployment manifests, telling all that is wrong with one at once. The way of a manifest:
 * {@link YamlDocument#parse}, {@link #variables} (whose values are then made), {@link #parse} or
 * {@link #resolve}, and just before containers are started {@link DeploymentManifest#interpolated}.
 */
public final class Manifests {
    private static final Set<String> KEYS =
            Set.of(
                    "name",
                    "release",
                    "releases",
                    "stemcells",
                    "update",
                    "instance_groups",
                    "addons",
                    "properties",
                    "variables",
                    "registries",
                    "secrets",
                    "configs",
                    "features",
                    "tags",
                    "vm_types",
                    "azs",
                    "disk_types",
                    "compilation",
                    "networks",
                    "disk_pools",
                    "jobs",
                    "resource_pools");
    private static final Map<String, String> IDLE =
            Map.of("director_uuid", "only command lines of old looked at it");
    private static final int MOST_GROUPS = 1_000;

    private Manifests() {}

    /**
     * Reads a manifest on its own.
     *
     * @param variables values for what is needed now; texts of containers stay raw
     * @throws ProblemException with every problem found
     */
    public static DeploymentManifest parse(YamlDocument document, Interpolation variables) {
        var findings = new Findings();
        DeploymentManifest manifest = read(document, variables, findings);
        findings.throwIfAny();
        return manifest;
    }

    /** Reads a manifest without any values of variables. */
    public static DeploymentManifest parse(YamlDocument document) {
        return parse(document, Interpolation.NONE);
    }

    /**
     * Reads a manifest and checks it against what there is.
     *
     * @throws ProblemException with every problem of either kind
     */
    public static DeploymentManifest resolve(
            YamlDocument document,
            Interpolation variables,
            CloudConfig cloud,
            List<StemcellRef.Available> stemcells) {
        var findings = new Findings();
        DeploymentManifest manifest = read(document, variables, findings);
        ManifestChecks.check(manifest, cloud, stemcells, findings);
        findings.throwIfAny();
        return manifest;
    }

    /**
     * Every key that an element of {@code containers} is read for.
     *
     * @param release of the docker release's job, instead of Compose's notation
     */
    public static Set<String> containerKeys(boolean release) {
        return ContainerReader.keys(release);
    }

    /**
     * The variables a manifest defines, so that their values can be made before it is read.
     *
     * @throws ProblemException with every problem of the definitions
     */
    public static List<VariableDefinition> variables(YamlDocument document) {
        var findings = new Findings();
        List<VariableDefinition> variables = variables(root(document, findings));
        findings.throwIfAny();
        return variables;
    }

    private static Section root(YamlDocument document, Findings findings) {
        if (document.root() == null) {
            throw new ProblemException(440001, "Manifest should not be empty");
        }
        if (!(document.root() instanceof Map<?, ?>)) {
            throw new ProblemException(440001, "Manifest should be a hash");
        }
        return Section.root(document, findings);
    }

    private static DeploymentManifest read(
            YamlDocument document, Interpolation interpolation, Findings findings) {
        List<VariableDefinition> variables = variables(root(document, findings));
        YamlDocument resolved = interpolation.early(document, variables, findings);
        Section root = root(resolved, findings);
        root.checkKeys(KEYS, IDLE);
        SnapshotPolicy.read(root);
        BackupPolicy.read(root);
        refuseOldSections(root);
        if (!root.items("addons").isEmpty()) {
            root.at("addons").error("'addons' are not supported yet", null);
        }
        if (root.has("properties")) {
            root.at("properties")
                    .warning(
                            "Global 'properties' are deprecated. Please define 'properties' at the job"
                                    + " level.",
                            null);
        }
        checkFeatures(root);
        List<ReleaseRef> releases = releases(root);
        List<StemcellRef> stemcells = stemcells(root);
        UpdatePolicy update =
                root.has("update")
                        ? UpdatePolicies.read(root.section("update"), null)
                        : missingUpdate(root);
        return new DeploymentManifest(
                name(root),
                releases,
                stemcells,
                update,
                groups(root, stemcells, releases, update),
                variables,
                RegistryLogins.read(root),
                Collections.unmodifiableMap(root.stringMap("tags")),
                document,
                findings.warnings());
    }

    private static String name(Section root) {
        if (!root.has("name")) {
            root.spot().error(40001, "Deployment manifest must have a 'name' key", null);
            return "";
        }
        String name = root.string("name");
        if (!name.isEmpty() && !name.matches("[-0-9A-Za-z_+.]{1,255}")) {
            root.at("name")
                    .error(
                            40005,
                            "Invalid deployment name '" + name + "'",
                            "letters, digits, '-', '_', '+' and '.'");
        }
        return name;
    }

    private static UpdatePolicy missingUpdate(Section root) {
        root.string("update"); // says that it is required
        var quiet = new Spot(Map.of(), "update", Mark.NONE, new Findings());
        return UpdatePolicies.read(quiet.section(), null);
    }

    private static void refuseOldSections(Section root) {
        for (String key : List.of("vm_types", "azs", "disk_types", "compilation")) {
            refuse(
                    root,
                    key,
                    190014,
                    "Deployment manifest contains '"
                            + key
                            + "' section, but this can only be set in a cloud-config.");
        }
        refuse(
                root,
                "networks",
                140026,
                "Deployment 'networks' are no longer supported. Network definitions must now be"
                        + " provided in a cloud-config.");
        refuse(
                root,
                "disk_pools",
                140027,
                "disk_pools is no longer supported. Disk definitions must now be provided as"
                        + " disk_types in a cloud-config");
        refuse(
                root,
                "jobs",
                140023,
                "Jobs are no longer supported, please use instance groups instead");
        refuse(
                root,
                "resource_pools",
                140028,
                "resource_pools is no longer supported. You must now define resources in a"
                        + " cloud-config");
    }

    private static void refuse(Section root, String key, int code, String message) {
        if (root.has(key)) {
            root.at(key).error(code, message, null);
        }
    }

    private static void checkFeatures(Section root) {
        if (root.has("features") && !root.at("features").isMap()) {
            root.at("features")
                    .error(
                            560001,
                            "Key 'features' expects a Hash, but received '%s'"
                                    .formatted(Inspect.of(root.at("features").value())),
                            null);
            return;
        }
        Section features = root.section("features");
        for (String key : features.tree().keySet()) {
            Object value = features.tree().get(key);
            if (!(value instanceof Boolean flag)) {
                features.at(key)
                        .error(
                                560001,
                                "Key '%s' in 'features' expected to be a boolean, but received '%s'"
                                        .formatted(key, rubyClass(value)),
                                null);
            } else if (flag && !key.equals("converge_variables")) {
                features.at(key).warning("feature '" + key + "' has no effect yet", null);
            }
        }
    }

    private static String rubyClass(@Nullable Object value) {
        return switch (value) {
            case null -> "NilClass";
            case Map<?, ?> map -> "Hash";
            case List<?> list -> "Array";
            case Double number -> "Float";
            case Number number -> "Integer";
            default -> "String";
        };
    }

    private static List<ReleaseRef> releases(Section root) {
        if (root.has("release") && root.has("releases")) {
            root.at("release")
                    .error(
                            190001,
                            "Deployment manifest contains both 'release' and 'releases' sections,"
                                    + " please use one of the two.",
                            null);
        }
        List<Section> sections =
                root.has("release") ? List.of(root.section("release")) : root.sections("releases");
        var releases = new ArrayList<ReleaseRef>();
        for (Section release : sections) {
            release.checkKeys(
                    Set.of("name", "version", "url", "sha1", "stemcell", "exported_from"),
                    Map.of());
            String name = release.string("name");
            if (releases.stream().anyMatch(r -> r.name().equals(name))) {
                release.at("name").error(190002, "Duplicate release name '" + name + "'", null);
            }
            if (!name.isEmpty() && !name.equals(ReleaseRef.DOCKER)) {
                release.at("name")
                        .error(
                                "Release '" + name + "': BOSH releases are not supported yet",
                                "containers need none; the 'docker' release is built in");
            }
            releases.add(new ReleaseRef(name, release.string("version")));
        }
        return List.copyOf(releases);
    }

    private static List<StemcellRef> stemcells(Section root) {
        if (!root.has("stemcells")) {
            root.spot().error(190019, "'stemcells' needs to be specified", null);
        }
        var stemcells = new ArrayList<StemcellRef>();
        for (Section stemcell : root.sections("stemcells")) {
            stemcell.checkKeys(Set.of("alias", "os", "name", "version", "url", "sha1"), Map.of());
            String alias = stemcell.string("alias");
            if (stemcells.stream().anyMatch(s -> s.alias().equals(alias))) {
                stemcell.at("alias").error(50005, "Duplicate stemcell alias '" + alias + "'", null);
            }
            if (!stemcell.has("os") && !stemcell.has("name")) {
                stemcell.spot()
                        .error(
                                40001,
                                "Required property 'os' or 'name' was not specified in object (%s)"
                                        .formatted(Inspect.of(stemcell.tree())),
                                null);
            }
            stemcells.add(
                    new StemcellRef(
                            alias,
                            stemcell.optionalString("os"),
                            stemcell.optionalString("name"),
                            stemcell.string("version")));
        }
        return List.copyOf(stemcells);
    }

    private static List<InstanceGroup> groups(
            Section root,
            List<StemcellRef> stemcells,
            List<ReleaseRef> releases,
            UpdatePolicy update) {
        List<String> aliases = stemcells.stream().map(StemcellRef::alias).toList();
        List<String> releaseNames = releases.stream().map(ReleaseRef::name).toList();
        List<Section> sections = root.sections("instance_groups");
        if (sections.size() > MOST_GROUPS) {
            root.at("instance_groups").error("more than " + MOST_GROUPS + " instance groups", null);
            return List.of();
        }
        var groups = new ArrayList<InstanceGroup>();
        var names = new HashSet<String>();
        for (Section section : sections) {
            InstanceGroup group =
                    new GroupReader(root, section, aliases, releaseNames).read(update);
            checkName(section, group.name(), names);
            groups.add(group);
        }
        return List.copyOf(groups);
    }

    private static void checkName(Section section, String name, Set<String> names) {
        String canonical = CanonicalName.of(name);
        if (name.isEmpty()) {
            return;
        }
        if (canonical.startsWith("-") || canonical.endsWith("-") || canonical.isEmpty()) {
            section.at("name")
                    .error(
                            420001,
                            "Invalid DNS canonical name '%s', cannot %s with a hyphen"
                                    .formatted(
                                            canonical, canonical.startsWith("-") ? "start" : "end"),
                            null);
        }
        if (!names.add(canonical)) {
            section.at("name")
                    .error(
                            190006,
                            "Invalid instance group name '%s', canonical name already taken"
                                    .formatted(name),
                            null);
        }
    }

    private static List<VariableDefinition> variables(Section root) {
        if (!root.has("variables")) {
            return List.of();
        }
        Spot list = root.at("variables");
        if (!list.isList()) {
            list.error(
                    560000,
                    "Key 'variables' expects an array, but received '%s'"
                            .formatted(rubyClass(list.value())),
                    null);
            return List.of();
        }
        boolean converge = Boolean.TRUE.equals(features(root).get("converge_variables"));
        var variables = new ArrayList<VariableDefinition>();
        for (Spot item : list.items()) {
            if (!item.isMap()) {
                item.error(560000, "All 'variables' elements should be Hashes", null);
                continue;
            }
            VariableDefinition variable = variable(item.section(), converge);
            if (variables.stream().anyMatch(v -> v.name().equals(variable.name()))) {
                item.error(
                        560000,
                        "Some of the variables have duplicate names, eg: '%s'"
                                .formatted(variable.name()),
                        null);
            }
            variables.add(variable);
        }
        return List.copyOf(variables);
    }

    private static Map<String, Object> features(Section root) {
        return root.at("features").isMap() ? root.map("features") : Map.of();
    }

    private static VariableDefinition variable(Section variable, boolean converge) {
        variable.checkKeys(
                Set.of("name", "type", "options", "update_mode", "update", "consumes"), Map.of());
        if (variable.has("consumes")) {
            variable.at("consumes").error("'consumes' of variables is not supported yet", null);
        }
        if (variable.has("update")) {
            variable.at("update").warning("'update' of variables has no effect yet", null);
        }
        Object name = variable.tree().get("name");
        if (name == null) {
            variable.spot()
                    .error(
                            560000,
                            "At least one of the variables is missing the 'name' key; 'name' must be"
                                    + " specified",
                            null);
        } else if (name.equals("")) {
            variable.at("name")
                    .error(
                            560000,
                            "At least one of the variables has an empty 'name'; 'name' must not be"
                                    + " empty or nil",
                            null);
        }
        String named = name == null ? "" : variable.at("name").string();
        if (!named.isEmpty()) {
            Placeholder.definitionFault(named)
                    .ifPresent(fault -> variable.at("name").error(540004, fault, null));
        }
        return new VariableDefinition(
                named, type(variable, named), options(variable, named), mode(variable, converge));
    }

    private static String type(Section variable, String name) {
        String what = "Type for variable '" + name + "' ";
        Object type = variable.tree().get("type");
        if (type == null) {
            boolean given = variable.tree().containsKey("type");
            variable.spot()
                    .error(
                            560000,
                            what
                                    + (given
                                            ? "is nil; 'type' must not be nil"
                                            : "is missing; 'type' must be specified"),
                            null);
        } else if (!(type instanceof String text)) {
            variable.at("type")
                    .error(
                            560000,
                            what + "must be a String, but was '%s'".formatted(Inspect.of(type)),
                            null);
        } else if (text.isEmpty()) {
            variable.at("type").error(560000, what + "is empty; 'type' must not be empty", null);
        } else {
            return text;
        }
        return "";
    }

    private static Map<String, Object> options(Section variable, String name) {
        if (variable.has("options") && !variable.at("options").isMap()) {
            variable.at("options")
                    .error(
                            560000,
                            "options of variable with name '" + name + "' is not a Hash",
                            null);
            return Map.of();
        }
        return variable.map("options");
    }

    private static UpdateMode mode(Section variable, boolean converge) {
        return switch (variable.optionalString("update_mode")) {
            case null -> converge ? UpdateMode.CONVERGE : UpdateMode.NO_OVERWRITE;
            case "no-overwrite" -> UpdateMode.NO_OVERWRITE;
            case "overwrite" -> UpdateMode.OVERWRITE;
            case "converge" -> UpdateMode.CONVERGE;
            case String other -> {
                variable.at("update_mode")
                        .error(
                                560000,
                                "'" + other + "' is no update mode",
                                "no-overwrite, overwrite or converge");
                yield UpdateMode.NO_OVERWRITE;
            }
        };
    }
}

package dev.berth.director;

import dev.berth.model.CloudConfig;
import dev.berth.model.CloudConfigs;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DeploymentManifest;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.GroupNetwork;
import dev.berth.model.InstanceGroup;
import dev.berth.model.Interpolation;
import dev.berth.model.IpAddress;
import dev.berth.model.IpRange;
import dev.berth.model.Json;
import dev.berth.model.Manifests;
import dev.berth.model.Network;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.RegistryLogin;
import dev.berth.model.Secret;
import dev.berth.model.Share;
import dev.berth.model.StemcellRef;
import dev.berth.model.Subnet;
import dev.berth.model.UpdatePolicy;
import dev.berth.model.VariableDefinition;
import dev.berth.model.VariableSource;
import dev.berth.model.YamlDocument;
import dev.berth.planner.Desired;
import dev.berth.planner.Differences;
import dev.berth.planner.Plan;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The {@link DeploymentReader} of BOSH manifests and cloud configs. Thread-safe. */
final class ManifestReader implements DeploymentReader {
    private final Hands hands;
    private final Variables variables;
    private final ImageBuilds builds;
    private final ImagePins pins;

    ManifestReader(Hands hands, Variables variables, ImageBuilds builds, ImagePins pins) {
        this.hands = hands;
        this.variables = variables;
        this.builds = builds;
        this.pins = pins;
    }

    @Override
    public Reading read(Fields wish, TaskLog log, boolean generate) {
        String deployment = wish.string("deployment");
        List<Long> configs =
                wish.object("context").list("cloud_config_ids").stream()
                        .map(id -> Long.parseLong(id.toString()))
                        .toList();
        return read(
                deployment,
                wish.string("manifest"),
                configs,
                wish.object("options"),
                wish.object("state_change"),
                look(wish),
                log,
                generate);
    }

    private static ImagePins.Look look(Fields wish) {
        if (wish.has("state_change")) {
            return ImagePins.Look.KNOWN_ONLY;
        }
        return wish.object("options").flag("refresh_images", false)
                ? ImagePins.Look.REFRESH
                : ImagePins.Look.USUAL;
    }

    @Override
    public Reading readDeployed(String deployment, TaskLog log) {
        Rows.Deployment row =
                hands.store()
                        .read(s -> s.deployment(deployment))
                        .orElseThrow(() ->
                                new ProblemException(
                                        70000, "Deployment '" + deployment + "' doesn't exist"));
        String manifest = row.manifest();
        if (manifest == null) {
            throw Converge.neverDeployed();
        }
        Fields none = Fields.of(Map.of(), "none");
        ImagePins.Look known = ImagePins.Look.KNOWN_ONLY;
        return read(deployment, manifest, row.cloudConfigIds(), none, none, known, log, false);
    }

    private Reading read(
            String deployment,
            String text,
            List<Long> configIds,
            Fields options,
            Fields stateChange,
            ImagePins.Look look,
            TaskLog log,
            boolean generate) {
        CloudConfig cloud = cloudConfig(configIds);
        List<Rows.Stemcell> stemcells = hands.store().read(s -> s.stemcells());
        YamlDocument document = YamlDocument.parse(text);
        List<StemcellRef.Available> available =
                stemcells.stream().map(ManifestReader::available).toList();
        List<VariableDefinition> definitions = Manifests.variables(document);
        // All of it is checked with stand-ins first, so that a manifest that is refused has
        // generated nothing.
        Manifests.resolve(document, values(deployment, definitions, log, true), cloud, available);
        if (generate) {
            variables.generate(deployment, definitions);
        }
        Interpolation values = values(deployment, definitions, log, !generate);
        DeploymentManifest manifest = Manifests.resolve(document, values, cloud, available);
        cloud.warnings().forEach(w -> log.warning(w.text()));
        manifest.warnings().forEach(w -> log.warning(w.text()));
        DeploymentManifest resolved = manifest.interpolated(values);
        List<RegistryLogin> logins = logins(resolved, cloud, log);
        List<ImagePins.Use> uses = images(deployment, uses(resolved), logins, look, log, generate);
        Map<String, DeployScope.GroupContent> contents = contents(resolved, uses, cloud);
        var groups = new ArrayList<Desired.Group>();
        for (InstanceGroup group : manifest.instanceGroups()) {
            if (group.lifecycle() == InstanceGroup.Lifecycle.SERVICE) {
                groups.add(
                        group(group, manifest, cloud, stemcells, contents, options, stateChange));
            }
        }
        var deployed =
                new Rows.Deployment(
                        deployment,
                        text,
                        configIds,
                        groups.stream()
                                .flatMap(g -> g.vms().values().stream())
                                .map(Desired.VmWish::stemcell)
                                .distinct()
                                .toList(),
                        manifest.releases().stream()
                                .map(r -> r.name() + "/" + r.version())
                                .toList(),
                        new LinkedHashMap<>(manifest.tags()),
                        hands.store()
                                .read(s -> s.deployment(deployment))
                                .map(Rows.Deployment::createdAt)
                                .orElse(hands.clock().now()));
        return new Reading(
                new Desired(deployment, groups, manifest.tags()),
                new DeployScope(deployment, contents, manifest.tags()),
                deployed,
                logins);
    }

    /** The manifest's own come before those of all deployments. No log shows any of them. */
    private List<RegistryLogin> logins(
            DeploymentManifest resolved, CloudConfig cloud, TaskLog log) {
        var logins = new ArrayList<>(resolved.registries());
        logins.addAll(cloud.registries(Interpolation.absoluteOnly(variables.hiddenIn(log))));
        for (RegistryLogin login : logins) {
            Secret password = login.password();
            if (password != null) {
                log.hide(password.reveal());
            }
        }
        return RegistryTrust.with(
                logins, resolved.instanceGroups().stream().map(InstanceGroup::daemon).toList());
    }

    private CloudConfig cloudConfig(List<Long> ids) {
        List<YamlDocument> documents =
                ids.stream()
                        .flatMap(id -> hands.store().read(s -> s.config(id)).stream())
                        .map(c -> YamlDocument.parseConfig(c.content(), c.type()))
                        .toList();
        if (documents.isEmpty()) {
            throw new ProblemException(
                    List.of(
                            new Problem(
                                    190008,
                                    null,
                                    "No networks specified",
                                    "there is no cloud config yet: berth update-cloud-config FILE")));
        }
        return CloudConfigs.parse(CloudConfigs.merged(documents));
    }

    private static StemcellRef.Available available(Rows.Stemcell row) {
        return new StemcellRef.Available(row.name(), row.operatingSystem(), row.version());
    }

    /**
     * Every value read goes to the log's redaction first. {@code standIns}: what is defined and not
     * there yet has one.
     */
    private Interpolation values(
            String deployment,
            List<VariableDefinition> definitions,
            TaskLog log,
            boolean standIns) {
        Interpolation names = Interpolation.of(variables, hands.directorName(), deployment);
        List<String> defined = definitions.stream().map(v -> names.absolute(v.name())).toList();
        VariableSource real = variables.hiddenIn(log);
        VariableSource source =
                name -> {
                    Optional<Object> value = real.get(name);
                    return value.isEmpty() && standIns && defined.contains(name)
                            ? Optional.of("(to be generated)")
                            : value;
                };
        return Interpolation.of(source, hands.directorName(), deployment);
    }

    // --- containers

    private static List<ImagePins.Use> uses(DeploymentManifest resolved) {
        return resolved.instanceGroups().stream()
                .flatMap(g -> g.containers().stream().map(c -> new ImagePins.Use(g.name(), c)))
                .toList();
    }

    /** The containers with images that are built where they must be, and pinned where they can. */
    private List<ImagePins.Use> images(
            String deployment,
            List<ImagePins.Use> uses,
            List<RegistryLogin> logins,
            ImagePins.Look look,
            TaskLog log,
            boolean generate) {
        Map<String, String> earlier = earlier(deployment);
        List<ImagePins.Use> named =
                uses.stream().map(u -> new ImagePins.Use(u.group(), builds.named(u))).toList();
        Set<String> unbuilt = builds.ready(uses, earlier, logins, look, !generate, log);
        List<ImagePins.Use> there =
                named.stream().filter(u -> !unbuilt.contains(u.reference())).toList();
        Map<String, String> digests = pins.resolve(there, earlier, logins, look);
        return named.stream()
                .map(u -> new ImagePins.Use(u.group(), ImagePins.pinned(u.container(), digests)))
                .toList();
    }

    private static Map<String, DeployScope.GroupContent> contents(
            DeploymentManifest resolved, List<ImagePins.Use> uses, CloudConfig cloud) {
        var contents = new HashMap<String, DeployScope.GroupContent>();
        for (InstanceGroup group : resolved.instanceGroups()) {
            List<ContainerSpec> containers =
                    uses.stream()
                            .filter(u -> u.group().equals(group.name()))
                            .map(ImagePins.Use::container)
                            .toList();
            String hash =
                    Digests.sha256(
                            containers.stream()
                                    .map(ContainerSpec::digest)
                                    .collect(Collectors.joining("\n", "containers\n", "")));
            if (!group.daemon().isEmpty()) {
                // A part of its own, so that the reason of a change can say which of the two it is.
                hash += Differences.DAEMON + group.daemon().digest().substring(0, 16);
            }
            long disk = cloud.disk(group).map(CloudConfig.DiskWish::sizeMb).orElse(0L);
            contents.put(
                    group.name(),
                    new DeployScope.GroupContent(
                            containers,
                            hash,
                            group.env(),
                            disk,
                            group.vmType() == null ? "" : group.vmType(),
                            group.daemon()));
        }
        return contents;
    }

    private Map<String, String> earlier(String deployment) {
        var pins = new HashMap<String, String>();
        for (Rows.Instance instance : hands.store().read(s -> s.instances(deployment))) {
            for (Fields container : Fields.of(instance.spec(), "spec").objects("containers")) {
                if (container.has("image") && container.has("image_digest")) {
                    String key =
                            ImagePins.keyOf(
                                    container.string("image"),
                                    container.optionalString("platform"));
                    pins.putIfAbsent(key, container.string("image_digest"));
                }
            }
        }
        return pins;
    }

    // --- groups

    private Desired.Group group(
            InstanceGroup group,
            DeploymentManifest manifest,
            CloudConfig cloud,
            List<Rows.Stemcell> stemcells,
            Map<String, DeployScope.GroupContent> contents,
            Fields options,
            Fields stateChange) {
        Rows.Stemcell stemcell = stemcell(group, manifest, stemcells);
        var vms = new LinkedHashMap<String, Desired.VmWish>();
        for (String az : group.azs().isEmpty() ? List.of("") : group.azs()) {
            Map<String, Object> properties =
                    cloud.vmCloudProperties(group, az.isEmpty() ? null : az);
            Object resolved = Interpolation.absoluteOnly(variables).resolve(properties);
            vms.put(
                    az,
                    new Desired.VmWish(
                            "",
                            stemcell.name() + "/" + stemcell.version(),
                            stemcell.cid().value(),
                            stemcell.apiVersion(),
                            Json.asObject(resolved)));
        }
        DeployScope.GroupContent content =
                contents.getOrDefault(group.name(), DeployScope.GroupContent.EMPTY);
        String usual = Records.usualFileSystem(group.env());
        List<Desired.DiskWish> disks =
                cloud.disks(group).stream().map(d -> disk(d, usual)).toList();
        return new Desired.Group(
                group.name(),
                group.instances(),
                group.azs(),
                vms,
                group.env(),
                group.networks().stream().map(n -> network(n, cloud)).toList(),
                disks,
                group.migratedFrom(),
                content.configurationHash(),
                update(group.update(), options),
                wholeGroupState(group, stateChange),
                instanceStates(group, stateChange));
    }

    private Desired.DiskWish disk(CloudConfig.DiskWish disk, String usualFileSystem) {
        String chosen = disk.format().fileSystem();
        return new Desired.DiskWish(
                disk.name(),
                disk.sizeMb(),
                Json.asObject(
                        Interpolation.absoluteOnly(variables).resolve(disk.cloudProperties())),
                disk.type(),
                chosen.isEmpty() ? usualFileSystem : chosen,
                !chosen.isEmpty(),
                disk.format().mountOptions(),
                disk.raw(),
                0);
    }

    private static Rows.Stemcell stemcell(
            InstanceGroup group, DeploymentManifest manifest, List<Rows.Stemcell> stemcells) {
        List<StemcellRef.Available> available =
                stemcells.stream().map(ManifestReader::available).toList();
        return manifest.stemcell(group.stemcell())
                .flatMap(ref -> ref.resolve(available))
                .flatMap(found ->
                        stemcells.stream()
                                .filter(s ->
                                        s.name().equals(found.name())
                                                && s.version().equals(found.version()))
                                .findFirst())
                .orElseThrow(() ->
                        new ProblemException(
                                50003,
                                "Stemcell '"
                                        + group.stemcell()
                                        + "' of group '"
                                        + group.name()
                                        + "' doesn't exist"));
    }

    private static Desired.Update update(UpdatePolicy policy, Fields options) {
        return new Desired.Update(
                share(policy.canaries(), options.optionalString("canaries")),
                share(policy.maxInFlight(), options.optionalString("max_in_flight")),
                watch(policy.canaryWatchTime()),
                watch(policy.updateWatchTime()),
                policy.serial(),
                policy.onFailure() == UpdatePolicy.OnFailure.ROLLBACK);
    }

    private static Desired.Share share(Share own, @Nullable String instead) {
        return Desired.Share.parse(instead == null ? own.toString() : instead);
    }

    private static Plan.WatchTime watch(UpdatePolicy.WatchTime time) {
        return new Plan.WatchTime(time.min().toMillis(), time.max().toMillis());
    }

    private static Desired.NetworkUse network(GroupNetwork use, CloudConfig cloud) {
        Network network = cloud.network(use.name()).orElseThrow();
        if (!(network instanceof Network.Manual manual)) {
            throw new ProblemException(
                    150001,
                    "network '"
                            + use.name()
                            + "' is not a manual one; others cannot be deployed onto yet");
        }
        return new Desired.NetworkUse(
                new Desired.Network(
                        manual.name(),
                        manual.subnets().stream().map(ManifestReader::subnet).toList()),
                use.staticIps().stream().map(IpAddress::toString).toList(),
                use.sortedDefaults());
    }

    private static Desired.Subnet subnet(Subnet subnet) {
        IpAddress gateway = subnet.gateway();
        return new Desired.Subnet(
                subnet.range().first() + "/" + subnet.prefix(),
                gateway == null ? null : gateway.toString(),
                subnet.dns(),
                subnet.reserved().stream().map(IpRange::toString).toList(),
                subnet.statics().stream().map(IpRange::toString).toList(),
                subnet.azs(),
                subnet.cloudProperties());
    }

    // --- asked for from outside

    private static @Nullable String wholeGroupState(InstanceGroup group, Fields change) {
        boolean meant =
                change.has("state")
                        && !change.has("instance")
                        && List.of("*", group.name()).contains(change.string("group", "*"));
        return meant ? change.string("state") : null;
    }

    private static Map<String, String> instanceStates(InstanceGroup group, Fields change) {
        boolean meant = change.has("instance") && group.name().equals(change.string("group", ""));
        return meant ? Map.of(change.string("instance"), change.string("state")) : Map.of();
    }
}

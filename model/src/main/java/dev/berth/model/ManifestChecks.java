package dev.berth.model;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Checks a manifest against the cloud config and the stemcells that there are. */
final class ManifestChecks {
    private final DeploymentManifest manifest;
    private final CloudConfig cloud;
    private final Findings findings;

    private ManifestChecks(DeploymentManifest manifest, CloudConfig cloud, Findings findings) {
        this.manifest = manifest;
        this.cloud = cloud;
        this.findings = findings;
    }

    static void check(
            DeploymentManifest manifest,
            CloudConfig cloud,
            List<StemcellRef.Available> stemcells,
            Findings findings) {
        var checks = new ManifestChecks(manifest, cloud, findings);
        for (int i = 0; i < manifest.stemcells().size(); i++) {
            checks.stemcell(manifest.stemcells().get(i), "stemcells[" + i + "].version", stemcells);
        }
        manifest.instanceGroups().forEach(checks::group);
        checks.staticIpsOnce();
        MigratedFrom.check(manifest, findings);
    }

    private void error(String path, int code, String message, @Nullable String remedy) {
        findings.error(code, manifest.source().place(path), message, remedy);
    }

    /** What was probably meant, or what there is. */
    private static String instead(String name, Collection<String> known) {
        return Nearest.of(name, known)
                .map(k -> "did you mean '" + k + "'?")
                .orElse(
                        known.isEmpty()
                                ? "the cloud config has none"
                                : "the cloud config has: " + String.join(", ", known));
    }

    private void stemcell(StemcellRef wanted, String path, List<StemcellRef.Available> available) {
        boolean readable =
                !wanted.version().isEmpty()
                        && (wanted.name() != null || wanted.operatingSystem() != null);
        if (readable && wanted.resolve(available).isEmpty()) {
            var there = new TreeSet<String>();
            available.forEach(s -> there.add(s.name() + "/" + s.version()));
            error(
                    path,
                    50003,
                    wanted.missing(available),
                    there.isEmpty()
                            ? "upload one first: upload-stemcell"
                            : "there are: " + String.join(", ", there));
        }
    }

    private void group(InstanceGroup group) {
        String says = "Instance group '" + group.name() + "' ";
        String vmType = group.vmType();
        if (vmType != null && cloud.vmType(vmType).isEmpty()) {
            error(
                    group.place() + ".vm_type",
                    140004,
                    says + "references an unknown vm type '" + vmType + "'",
                    instead(
                            vmType,
                            cloud.vmTypes().stream().map(CloudConfig.VmType::name).toList()));
        }
        for (int i = 0; i < group.vmExtensions().size(); i++) {
            String extension = group.vmExtensions().get(i);
            if (cloud.vmExtension(extension).isEmpty()) {
                error(
                        group.place() + ".vm_extensions[" + i + "]",
                        100,
                        "The vm_extension '"
                                + extension
                                + "' has not been configured in cloud-config.",
                        null);
            }
        }
        List<String> zones = cloud.azs().stream().map(CloudConfig.Az::name).toList();
        for (int i = 0; i < group.azs().size(); i++) {
            String az = group.azs().get(i);
            if (!zones.contains(az)) {
                error(
                        group.place() + ".azs[" + i + "]",
                        140018,
                        says + "references unknown availability zone '" + az + "'",
                        instead(az, zones));
            }
        }
        disks(group, says);
        for (int i = 0; i < group.networks().size(); i++) {
            network(group, group.networks().get(i), group.place() + ".networks[" + i + "]", says);
        }
    }

    private void disks(InstanceGroup group, String says) {
        String type = group.disks().type();
        if (type != null) {
            diskType(type, group, "", group.place() + ".persistent_disk_type", says);
        }
        for (int i = 0; i < group.disks().named().size(); i++) {
            GroupDisks.Named disk = group.disks().named().get(i);
            String path = group.place() + ".persistent_disks[" + i + "].type";
            diskType(disk.type(), group, disk.name(), path, says + "persistent_disks's section ");
        }
    }

    private void diskType(String type, InstanceGroup group, String name, String path, String says) {
        Optional<CloudConfig.DiskType> found = cloud.diskType(type);
        if (found.isEmpty()) {
            error(
                    path,
                    140012,
                    says + "references an unknown disk type '" + type + "'",
                    instead(
                            type,
                            cloud.diskTypes().stream().map(CloudConfig.DiskType::name).toList()));
        } else if (found.get().sizeMb() == 0
                && group.containers().stream().anyMatch(c -> c.persistentDisks().contains(name))) {
            error(
                    path,
                    100,
                    says + "has containers that keep data, but disk type '" + type + "' has size 0",
                    null);
        }
    }

    private void network(InstanceGroup group, GroupNetwork wanted, String path, String says) {
        if (wanted.name().isEmpty()) {
            return;
        }
        switch (cloud.network(wanted.name()).orElse(null)) {
            case null ->
                    error(
                            path + ".name",
                            150001,
                            says + "references an unknown network '" + wanted.name() + "'",
                            instead(
                                    wanted.name(),
                                    cloud.networks().stream().map(Network::name).toList()));
            case Network.Dynamic network -> {
                if (!wanted.staticIps().isEmpty()) {
                    error(
                            path + ".static_ips",
                            150008,
                            says
                                    + "using dynamic network '"
                                    + network.name()
                                    + "' cannot specify static IP(s)",
                            null);
                }
                error(path + ".name", 100, "dynamic networks are not supported yet", "manual");
            }
            case Network.Vip network ->
                    error(path + ".name", 100, "vip networks are not supported yet", "manual");
            case Network.Manual network -> manual(group, wanted, network, path, says);
        }
    }

    private void manual(
            InstanceGroup group,
            GroupNetwork wanted,
            Network.Manual network,
            String path,
            String says) {
        Set<String> zones = network.azs();
        boolean matches = group.azs().isEmpty() ? zones.isEmpty() : zones.containsAll(group.azs());
        boolean known = group.azs().stream().allMatch(az -> cloud.az(az).isPresent());
        if (!matches && known) {
            error(
                    group.place() + (group.azs().isEmpty() ? "" : ".azs"),
                    150006,
                    says
                            + "must specify availability zone that matches availability zones of"
                            + " network '"
                            + network.name()
                            + "'",
                    zones.isEmpty()
                            ? "its subnets name no zone"
                            : "its subnets are in: " + String.join(", ", zones));
        }
        List<IpAddress> ips = wanted.staticIps();
        if (!ips.isEmpty() && ips.size() != group.instances()) {
            error(
                    path + ".static_ips",
                    150002,
                    says
                            + "has %d instances but was allocated %d static IPs in network '%s'"
                                    .formatted(group.instances(), ips.size(), network.name()),
                    null);
        }
        for (IpAddress ip : ips) {
            staticIp(group, network, ip, path + ".static_ips", says);
        }
    }

    private void staticIp(
            InstanceGroup group, Network.Manual network, IpAddress ip, String path, String says) {
        Optional<Subnet> subnet = network.subnetOf(ip);
        if (subnet.isEmpty() || !subnet.get().isStatic(ip)) {
            error(
                    path,
                    150002,
                    says
                            + "with network '%s' declares static ip '%s', which belongs to no subnet"
                                    .formatted(network.name(), ip),
                    subnet.isEmpty()
                            ? null
                            : "it is in the range; list it under 'static' of the subnet");
            return;
        }
        boolean served =
                group.azs().isEmpty() || group.azs().stream().anyMatch(subnet.get()::serves);
        if (!served) {
            error(
                    path,
                    150007,
                    says
                            + "declares static ip '%s' which does not belong to any of the instance group's availability zones."
                                    .formatted(ip),
                    null);
        }
    }

    /** No address may be asked for by two groups. */
    private void staticIpsOnce() {
        var holders = new java.util.HashMap<IpAddress, String>();
        for (InstanceGroup group : manifest.instanceGroups()) {
            for (int i = 0; i < group.networks().size(); i++) {
                String path = group.place() + ".networks[" + i + "].static_ips";
                for (IpAddress ip : group.networks().get(i).staticIps()) {
                    String holder = holders.putIfAbsent(ip, group.name());
                    if (holder != null && !holder.equals(group.name())) {
                        error(
                                path,
                                130008,
                                "Static IP '%s' is asked for by instance groups '%s' and '%s'"
                                        .formatted(ip, holder, group.name()),
                                null);
                    }
                }
            }
        }
    }
}

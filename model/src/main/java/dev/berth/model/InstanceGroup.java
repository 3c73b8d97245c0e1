package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Equal instances of a deployment.
 *
 * @param place where it stands in the manifest: {@code instance_groups[0]}
 * @param azs zones to spread over; empty: none
 * @param vmType null only with {@code vmResources}
 * @param stemcell alias of one of the deployment's stemcells
 * @param env given to each VM; raw until {@link DeploymentManifest#interpolated}
 * @param disks the persistent ones
 * @param migratedFrom groups of former deploys that it takes over
 * @param containers from both notations, in the order of the manifest; texts that may hold secrets
 *     are raw until {@link DeploymentManifest#interpolated}
 * @param tags the group's own, without the deployment's
 * @param daemonWish what the manifest says about the Docker daemon, as it is written
 * @param daemon the same with values; nothing until {@link DeploymentManifest#interpolated}
 */
public record InstanceGroup(
        String name,
        String place,
        int instances,
        List<String> azs,
        @Nullable String vmType,
        @Nullable VmResources vmResources,
        List<String> vmExtensions,
        String stemcell,
        Map<String, Object> env,
        List<GroupNetwork> networks,
        GroupDisks disks,
        List<MigratedFrom> migratedFrom,
        UpdatePolicy update,
        Lifecycle lifecycle,
        List<JobRef> jobs,
        List<ContainerSpec> containers,
        Map<String, String> tags,
        DaemonWish daemonWish,
        DaemonSettings daemon) {

    /** Whether instances run all the time, or only when asked to. */
    public enum Lifecycle {
        SERVICE,
        ERRAND
    }

    /** A VM described by its size; sizes in MiB. */
    public record VmResources(int cpu, int ramMb, int ephemeralDiskMb) {}

    /** The network whose addresses stand for the instance. */
    public GroupNetwork defaultNetwork() {
        for (String use : List.of("addressable", "gateway")) {
            for (GroupNetwork network : networks) {
                if (network.defaults().contains(use)) {
                    return network;
                }
            }
        }
        return networks.getFirst();
    }

    InstanceGroup with(
            Map<String, Object> newEnv,
            List<ContainerSpec> newContainers,
            DaemonSettings newDaemon) {
        return new InstanceGroup(
                name,
                place,
                instances,
                azs,
                vmType,
                vmResources,
                vmExtensions,
                stemcell,
                newEnv,
                networks,
                disks,
                migratedFrom,
                update,
                lifecycle,
                jobs,
                newContainers,
                tags,
                daemonWish,
                newDaemon);
    }
}

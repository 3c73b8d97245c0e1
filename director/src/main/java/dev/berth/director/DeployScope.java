package dev.berth.director;

import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.planner.Plan;
import dev.berth.wire.ApplySpec;
import java.util.List;
import java.util.Map;

/**
 * What the executor needs to know of a deployment beyond the plan: contents that hold secrets and
 * so never enter plans, journals or the store.
 */
record DeployScope(String deployment, Map<String, GroupContent> groups, Map<String, String> tags) {
    /**
     * @param containers interpolated and pinned
     * @param configurationHash digest over them
     * @param daemon interpolated; part of the hash where it says anything
     * @param vmType name in the cloud config; empty when sizes were given
     * @param env interpolated env of the group's VMs
     */
    record GroupContent(
            List<ContainerSpec> containers,
            String configurationHash,
            Map<String, Object> env,
            long persistentDiskMb,
            String vmType,
            DaemonSettings daemon) {
        static final GroupContent EMPTY =
                new GroupContent(List.of(), "", Map.of(), 0, "", DaemonSettings.NONE);

        @Override
        public String toString() {
            return "GroupContent[" + configurationHash + "]";
        }
    }

    GroupContent content(String group) {
        return groups.getOrDefault(group, GroupContent.EMPTY);
    }

    /** The first, partial apply: who the instance is. */
    ApplySpec identity(Plan.InstancePlan plan) {
        return new ApplySpec(
                deployment,
                plan.group(),
                plan.id(),
                plan.index(),
                plan.az(),
                plan.networks(),
                null,
                "",
                0,
                DaemonSettings.NONE);
    }

    ApplySpec full(Plan.InstancePlan plan) {
        GroupContent content = content(plan.group());
        return new ApplySpec(
                deployment,
                plan.group(),
                plan.id(),
                plan.index(),
                plan.az(),
                plan.networks(),
                content.containers(),
                content.configurationHash(),
                content.persistentDiskMb(),
                content.daemon());
    }

    /** What is recorded of the applied spec: no environment, no secret. */
    Map<String, Object> summary(Plan.InstancePlan plan) {
        GroupContent content = content(plan.group());
        return dev.berth.model.Json.of(
                "configuration_hash", content.configurationHash(),
                "vm_type", content.vmType(),
                "networks", plan.networks(),
                "containers", content.containers().stream().map(DeployScope::summary).toList());
    }

    private static Map<String, Object> summary(ContainerSpec spec) {
        return dev.berth.model.Json.of(
                "name",
                spec.name(),
                "image",
                spec.image().reference(),
                "image_digest",
                spec.image().digest(),
                "platform",
                spec.image().platform(),
                "digest",
                spec.digest());
    }
}

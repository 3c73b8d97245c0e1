package dev.berth.planner;

import dev.berth.model.InstanceId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One instance as it should be.
 *
 * @param target state to reach: {@code started}, {@code stopped} or {@code detached}
 * @param request {@code restart} or {@code recreate} when asked for and not yet done
 * @param az where it is to live
 * @param disks with the sizes that a person gave them, where those hold
 * @param tagsChanged the deployment's tags differ from those of the last deploy
 */
record Wish(
        InstanceId id,
        String text,
        String target,
        @Nullable String request,
        @Nullable String az,
        Map<String, String> addresses,
        Step.VmShape shape,
        List<Desired.DiskWish> disks,
        String configurationHash,
        boolean tagsChanged) {
    Desired.@Nullable DiskWish disk(String name) {
        return disks.stream().filter(d -> d.name().equals(name)).findFirst().orElse(null);
    }

    boolean isStarted() {
        return target.equals("started");
    }

    boolean isDetached() {
        return target.equals("detached");
    }
}

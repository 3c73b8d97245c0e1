package dev.berth.planner;

import dev.berth.model.InstanceId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One instance as it should be.
 *
 * @param target state to reach: {@code started}, {@code stopped} or {@code detached}
 * @param request {@code restart} or {@code recreate} when asked for and not yet done
 * @param tagsChanged the deployment's tags differ from those of the last deploy
 */
record Wish(
        InstanceId id,
        String text,
        String target,
        @Nullable String request,
        Map<String, String> addresses,
        Step.VmShape shape,
        Desired.@Nullable DiskWish disk,
        String configurationHash,
        boolean tagsChanged) {
    boolean isStarted() {
        return target.equals("started");
    }

    boolean isDetached() {
        return target.equals("detached");
    }
}

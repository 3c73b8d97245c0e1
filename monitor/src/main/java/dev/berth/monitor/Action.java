package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the judge wants done. */
public sealed interface Action {
    /** Ping the agent, ask the cloud; answer with {@link Signal.Found}. */
    record AskEvidence(AgentId agent, VmCid vm) implements Action {}

    /**
     * @param id stable: the same trouble has the same id, and raising it again updates it
     * @param severity as in {@link Alert}
     * @param deployment null when it concerns none, or several
     */
    record RaiseAlert(
            String id, int severity, String title, String summary, @Nullable String deployment)
            implements Action {}

    /** The trouble is over. */
    record ResolveAlert(String id, String title) implements Action {}

    /** What an agent told, with its source filled in. */
    record ForwardAlert(Alert alert) implements Action {}

    /** Enqueue a repair of these; answer with {@link Signal.RepairEnded}. */
    record Repair(String deployment, List<InstanceId> instances, String reason) implements Action {}

    /** Something should be done and is not, because. Said once for each new reason. */
    record Wait(String about, String reason) implements Action {}
}

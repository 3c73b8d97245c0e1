package dev.berth.wire;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The value of {@code get_state}, as the director needs it; the whole answer stays in {@code tree}.
 *
 * @param jobState {@code running}, {@code starting}, {@code failing}, {@code stopped} or {@code
 *     unknown}
 * @param configurationHash of the spec applied last; empty before the first full apply
 * @param containers Berth's own key; null from a stock agent
 */
public record AgentState(
        String agentId,
        String jobState,
        String configurationHash,
        @Nullable List<ContainerState> containers,
        Map<String, Object> tree) {
    public static AgentState fromTree(@Nullable Object tree) {
        Fields f = Fields.of(tree, "agent state");
        return new AgentState(
                f.string("agent_id", ""),
                f.string("job_state", "unknown"),
                f.string("configuration_hash", ""),
                f.has("containers")
                        ? f.list("containers").stream().map(ContainerState::fromTree).toList()
                        : null,
                f.tree());
    }

    /**
     * One container as its supervisor sees it.
     *
     * @param state a supervisor state in lower case: {@code waiting}, {@code up}, {@code backoff},
     *     ...
     * @param specDigest digest of the spec it runs with; empty when there is no container
     * @param containerId the Engine's id; null when there is none
     * @param startedAtMillis Unix milliseconds of the last start; 0 when not running
     * @param restarts how often the supervisor started it again since it was created
     * @param reason why it is in this state, in a sentence; empty when all is well
     * @param cause why it was down before its present or coming start; empty before the first
     * @param nextTryMillis Unix milliseconds of the next try; 0 when none is planned
     */
    public record ContainerState(
            String name,
            String image,
            @Nullable String imageDigest,
            String state,
            String health,
            String specDigest,
            @Nullable String containerId,
            long startedAtMillis,
            long restarts,
            @Nullable Long lastExitCode,
            boolean lastExitOom,
            String reason,
            String cause,
            long nextTryMillis) {
        public Map<String, Object> toTree() {
            return Json.of(
                    "name",
                    name,
                    "image",
                    image,
                    "image_digest",
                    imageDigest,
                    "state",
                    state,
                    "health",
                    health,
                    "spec_digest",
                    specDigest,
                    "container_id",
                    containerId,
                    "started_at_ms",
                    startedAtMillis,
                    "restarts",
                    restarts,
                    "last_exit_code",
                    lastExitCode,
                    "last_exit_oom",
                    lastExitOom,
                    "reason",
                    reason,
                    "cause",
                    cause,
                    "next_try_ms",
                    nextTryMillis);
        }

        public static ContainerState fromTree(Object tree) {
            Fields f = Fields.of(tree, "container state");
            return new ContainerState(
                    f.string("name"),
                    f.string("image", ""),
                    f.optionalString("image_digest"),
                    f.string("state", "unknown"),
                    f.string("health", ""),
                    f.string("spec_digest", ""),
                    f.optionalString("container_id"),
                    f.integer("started_at_ms", 0),
                    f.integer("restarts", 0),
                    f.optionalInteger("last_exit_code"),
                    f.flag("last_exit_oom", false),
                    f.string("reason", ""),
                    f.string("cause", ""),
                    f.integer("next_try_ms", 0));
        }
    }
}

package dev.berth.monitor;

import dev.berth.wire.AgentState;
import dev.berth.wire.Heartbeat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What an agent says of itself, as far as the judge goes by it.
 *
 * @param jobState {@code running}, {@code starting}, {@code failing}, {@code stopped}, {@code
 *     unknown}
 * @param disks cids of those mounted and proven; null: the agent does not tell
 * @param containers names of those it looks after; null: the agent does not tell
 */
public record Report(
        String jobState, @Nullable Set<String> disks, @Nullable Set<String> containers) {
    static final Report NONE = new Report("", null, null);

    static Report of(Heartbeat heartbeat) {
        List<AgentState.ContainerState> told = heartbeat.containers();
        return new Report(
                heartbeat.jobState(),
                heartbeat.tree().get("disks") instanceof List<?> list
                        ? list.stream().map(String::valueOf).collect(Collectors.toSet())
                        : null,
                told == null
                        ? null
                        : told.stream()
                                .map(AgentState.ContainerState::name)
                                .collect(Collectors.toSet()));
    }
}

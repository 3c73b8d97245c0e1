package dev.berth.supervisor;

import java.util.List;

/**
 * The instance as its supervisor sees it.
 *
 * @param jobState {@code running}, {@code starting}, {@code failing}, {@code stopped} or {@code
 *     unknown}
 * @param containers in the order of the wish; those on their way out at the end
 */
public record SupervisorStatus(
        String jobState, DaemonState daemon, DiskStates disks, List<ContainerStatus> containers) {}

package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a container may do, and which namespaces it has for itself. Null: the engine's default.
 *
 * @param securityOptions as the Engine's; {@code seccomp=/path} names a file of the VM
 * @param pid {@code host}, {@code service:NAME} or {@code container:NAME}
 * @param ipc {@code shareable}, {@code private}, {@code host}, {@code none}, {@code service:NAME}
 *     or {@code container:NAME}
 * @param uts {@code host}
 * @param userns {@code host}
 * @param cgroup {@code host} or {@code private}
 */
public record ContainerSecurity(
        boolean privileged,
        List<String> capAdd,
        List<String> capDrop,
        List<String> groups,
        List<String> securityOptions,
        @Nullable String pid,
        @Nullable String ipc,
        @Nullable String uts,
        @Nullable String userns,
        @Nullable String cgroup,
        @Nullable String cgroupParent,
        Map<String, String> sysctls) {
    public static final ContainerSecurity DEFAULT =
            new ContainerSecurity(
                    false, List.of(), List.of(), List.of(), List.of(), null, null, null, null, null,
                    null, Map.of());
}

package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a container is reached and whom it reaches.
 *
 * @param mode null: the network that the containers of the instance share; {@code none}, {@code
 *     host}, {@code bridge}, {@code service:NAME} for the network of another container of the
 *     instance, {@code container:NAME} of any other, or a network that the VM's engine has
 * @param endpoints networks it is attached to instead of the shared one; empty: that one
 * @param exposed {@code 80/tcp}: documentation, and what legacy links look at
 * @param externalLinks to containers that are none of the instance's
 * @param extraHosts {@code name:address}, as the Engine has it
 */
public record ContainerNetwork(
        @Nullable String mode,
        List<Endpoint> endpoints,
        List<PortBinding> ports,
        List<String> exposed,
        List<Link> links,
        List<Link> externalLinks,
        List<String> extraHosts,
        List<String> dns,
        List<String> dnsOptions,
        List<String> dnsSearch,
        @Nullable String macAddress) {
    public static final ContainerNetwork DEFAULT =
            new ContainerNetwork(
                    null, List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
                    List.of(), List.of(), List.of(), null);

    /** Name of the network that all containers of an instance share unless told otherwise. */
    public static final String SHARED = "default";

    /** Begins a mode that shares with another container of the instance. */
    public static final String SERVICE = "service:";

    /**
     * A published port.
     *
     * @param hostIp address on the VM; empty: all
     * @param hostPort 0: the engine chooses
     * @param protocol {@code tcp}, {@code udp} or {@code sctp}
     * @param lastHostPort the end of a range of which the engine takes one; 0: only {@code
     *     hostPort}
     */
    public record PortBinding(
            String hostIp, int hostPort, int containerPort, String protocol, int lastHostPort) {
        public PortBinding(String hostIp, int hostPort, int containerPort, String protocol) {
            this(hostIp, hostPort, containerPort, protocol, 0);
        }
    }

    /** A name by which this container reaches another; implies a dependency. */
    public record Link(String container, String alias) {}

    /**
     * An attachment to one network of the instance.
     *
     * @param network {@link #SHARED}, or a name of the manifest's own; made when missing
     * @param macAddress empty: the engine's choice
     * @param priority of the network that gives the default route; 0: none
     */
    public record Endpoint(
            String network,
            List<String> aliases,
            List<String> linkLocalIps,
            String macAddress,
            Map<String, String> driverOptions,
            int priority) {}
}

package dev.berth.agent;

import dev.berth.wire.AgentSettings.Registry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Makes the environment's registry reachable under its one name: the name resolves to the
 * director's host, port 443 there leads to the registry's port, and the Docker Engine trusts its
 * CA. Repeatable; a change of address or port replaces what was there.
 */
final class RegistryRoute {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String CHAIN = "BERTH-REGISTRY";

    private final Layout layout;
    private final Hosts hosts;
    private final Programs programs;

    RegistryRoute(Layout layout, Hosts hosts, Programs programs) {
        this.layout = layout;
        this.hosts = hosts;
        this.programs = programs;
    }

    void lay(Registry registry) {
        hosts.replace("registry", List.of(registry.host() + " " + registry.name()));
        trust(registry);
        if (registry.port() != 443) {
            forward(registry);
        }
    }

    /** The daemon reads it at each pull. */
    void trust(Registry registry) {
        var ca = layout.etc().resolve("docker/certs.d").resolve(registry.name()).resolve("ca.crt");
        if (!DurableFile.read(ca).equals(Optional.of(registry.ca()))) {
            DurableFile.write(ca, registry.ca(), "rw-r--r--");
        }
    }

    private void forward(Registry registry) {
        boolean present = nat("-N", CHAIN).ok();
        if (!present) { // it exists: what it said may be of yesterday
            String ignored = nat("-F", CHAIN).orFail("cannot clear the nat chain " + CHAIN);
        }
        String ignored =
                nat(
                                "-A",
                                CHAIN,
                                "-d",
                                registry.host(),
                                "-p",
                                "tcp",
                                "--dport",
                                "443",
                                "-j",
                                "DNAT",
                                "--to-destination",
                                registry.host() + ":" + registry.port())
                        .orFail("cannot lead port 443 of " + registry.host() + " to the registry");
        if (!nat("-C", "OUTPUT", "-j", CHAIN).ok()) {
            String added =
                    nat("-I", "OUTPUT", "-j", CHAIN).orFail("cannot use the nat chain " + CHAIN);
        }
    }

    private Programs.Result nat(String... arguments) {
        var command = new java.util.ArrayList<>(List.of("iptables", "-w", "10", "-t", "nat"));
        command.addAll(List.of(arguments));
        return programs.run(command, LIMIT);
    }
}

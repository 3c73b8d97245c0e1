package dev.berth.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A network of the cloud config. */
public sealed interface Network {
    String name();

    /** Zones its subnets name; empty when they name none. */
    Set<String> azs();

    /** Addresses are given out by the director. */
    record Manual(String name, List<Subnet> subnets) implements Network {
        @Override
        public Set<String> azs() {
            var azs = new TreeSet<String>();
            subnets.forEach(s -> azs.addAll(s.azs()));
            return azs;
        }

        /** The subnet that holds an address. */
        public Optional<Subnet> subnetOf(IpAddress address) {
            return subnets.stream().filter(s -> s.range().contains(address)).findFirst();
        }

        /** The subnets an instance of a zone may live in, in the order of the config. */
        public List<Subnet> subnetsFor(@Nullable String az) {
            return az == null ? subnets : subnets.stream().filter(s -> s.serves(az)).toList();
        }

        /**
         * The settings of an address for the CPI and the agent.
         *
         * @param defaults what this network is the default for, sorted; may be empty
         */
        public Map<String, Object> settings(IpAddress ip, List<String> defaults) {
            Subnet subnet =
                    subnetOf(ip)
                            .orElseThrow(() ->
                                    new IllegalArgumentException(
                                            ip + " is not in network '" + name + "'"));
            Map<String, Object> settings =
                    Json.of(
                            "type", "manual",
                            "ip", ip.toString(),
                            "prefix", String.valueOf(ip.bits()),
                            "netmask", subnet.netmask(),
                            "cloud_properties", subnet.cloudProperties());
            if (!defaults.isEmpty()) {
                settings.put("default", defaults);
            }
            if (!subnet.dns().isEmpty()) {
                settings.put("dns", subnet.dns());
            }
            if (subnet.gateway() != null) {
                settings.put("gateway", subnet.gateway().toString());
            }
            return settings;
        }
    }

    /** The cloud gives the addresses. Read and checked, not deployed onto yet. */
    record Dynamic(String name, Set<String> azs, Map<String, Object> cloudProperties)
            implements Network {}

    /** Addresses that the cloud moves between VMs. Read and checked, not deployed onto yet. */
    record Vip(String name, Map<String, Object> cloudProperties) implements Network {
        @Override
        public Set<String> azs() {
            return Set.of();
        }
    }
}

package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses are given to whom while a plan is made. An address that an instance gives up is
 * not given out again by the same plan: it is free only after the old VM is gone.
 */
final class AddressBook {
    private final Set<Long> taken = new HashSet<>();
    private final Map<Long, Recorded.Instance> owners = new HashMap<>();
    private final Map<String, Network> networks = new HashMap<>();
    private long probes;

    AddressBook(Recorded recorded) {
        recorded.takenAddresses().forEach(address -> taken.add(Ipv4.parse(address)));
        for (Recorded.Instance instance : recorded.instances()) {
            for (String text : instance.addresses().values()) {
                long address = Ipv4.parse(text);
                taken.add(address);
                owners.put(address, instance);
            }
        }
    }

    /** A network with its texts parsed, once a plan. */
    Network network(Desired.Network network) {
        return networks.computeIfAbsent(network.name(), name -> new Network(network));
    }

    /** How many candidates were looked at: the cost of dealing addresses. */
    long probes() {
        return probes;
    }

    Recorded.@Nullable Instance ownerOf(String address) {
        return owners.get(Ipv4.parse(address));
    }

    /** Takes a listed address; false when somebody else has it. */
    boolean claim(String text, @Nullable InstanceId instance) {
        long address = Ipv4.parse(text);
        Recorded.Instance owner = owners.get(address);
        return owner != null ? owner.id().equals(instance) : taken.add(address);
    }

    final class Network {
        final String name;
        final List<Subnet> subnets = new ArrayList<>();

        Network(Desired.Network network) {
            name = network.name();
            network.subnets().forEach(subnet -> subnets.add(new Subnet(subnet)));
        }

        /** The lowest free address for an instance in that az, taken; null: no more. */
        @Nullable String deal(@Nullable String az) {
            for (Subnet subnet : subnets) {
                if (subnet.serves(az)) {
                    String address = subnet.deal();
                    if (address != null) {
                        return address;
                    }
                }
            }
            return null;
        }

        /** Whether an instance in that az may go on with the address it has. */
        boolean mayKeep(String text, @Nullable String az, boolean asStatic) {
            long address = Ipv4.parse(text);
            Subnet subnet = subnetOf(address);
            return subnet != null
                    && subnet.serves(az)
                    && !subnet.restricted.contains(address)
                    && subnet.statics.contains(address) == asStatic;
        }

        /** The subnet that lists the address as static. */
        @Nullable Subnet staticSubnet(String text) {
            long address = Ipv4.parse(text);
            Subnet subnet = subnetOf(address);
            return subnet != null && subnet.statics.contains(address) ? subnet : null;
        }

        /** What CPI and agent get. */
        Map<String, Object> settings(String text, List<String> defaults) {
            Subnet subnet = subnetOf(Ipv4.parse(text));
            if (subnet == null) {
                throw new IllegalStateException(text + " is in no subnet of " + name);
            }
            Map<String, Object> settings =
                    Json.of(
                            "type",
                            "manual",
                            "ip",
                            text,
                            "prefix",
                            "32",
                            "netmask",
                            subnet.netmask,
                            "cloud_properties",
                            subnet.source.cloudProperties());
            if (!defaults.isEmpty()) {
                settings.put("default", defaults.stream().sorted().toList());
            }
            settings.put("dns", subnet.source.dns());
            if (subnet.source.gateway() != null) {
                settings.put("gateway", subnet.source.gateway());
            }
            return settings;
        }

        private @Nullable Subnet subnetOf(long address) {
            for (Subnet subnet : subnets) {
                if (subnet.range.contains(address)) {
                    return subnet;
                }
            }
            return null;
        }
    }

    final class Subnet {
        final Desired.Subnet source;
        final String netmask;
        private final Ipv4.Range range;
        private final Ipv4.Ranges restricted;
        private final Ipv4.Ranges statics;

        /** Restricted and static together: what is not dealt automatically. */
        private final Ipv4.Ranges excluded;

        /**
         * Everything below was given or may not be: addresses are not freed within a plan, so it
         * only moves up.
         */
        private long cursor;

        Subnet(Desired.Subnet source) {
            this.source = source;
            range = Ipv4.range(source.range());
            netmask = Ipv4.netmask(range);
            cursor = range.first();
            var never = new ArrayList<>(Ipv4.ranges(source.reserved()));
            never.add(new Ipv4.Range(range.first(), range.first()));
            never.add(new Ipv4.Range(range.last(), range.last()));
            if (source.gateway() != null) {
                never.add(Ipv4.range(source.gateway()));
            }
            restricted = new Ipv4.Ranges(never);
            List<Ipv4.Range> onRequest = Ipv4.ranges(source.statics());
            statics = new Ipv4.Ranges(onRequest);
            never.addAll(onRequest);
            excluded = new Ipv4.Ranges(never);
        }

        boolean serves(@Nullable String az) {
            return az == null || source.azs().isEmpty() || source.azs().contains(az);
        }

        private @Nullable String deal() {
            while (cursor <= range.last()) {
                probes++;
                long end = excluded.endOf(cursor);
                if (end >= 0) {
                    cursor = end + 1;
                } else if (taken.add(cursor)) {
                    return Ipv4.text(cursor++);
                } else {
                    cursor++;
                }
            }
            return null;
        }
    }
}

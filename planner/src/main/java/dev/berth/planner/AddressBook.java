package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.IpAddress;
import dev.berth.model.IpRange;
import dev.berth.model.Network.Manual;
import dev.berth.model.ProblemException;
import dev.berth.model.Subnet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses are given to whom while a plan is made. An address that an instance gives up is
 * not given out again by the same plan: it is free only after the old VM is gone.
 */
final class AddressBook {
    private final Set<IpAddress> taken = new HashSet<>();
    private final Map<IpAddress, Recorded.Instance> owners = new HashMap<>();

    /** The same few texts are asked about again and again. */
    private final Map<String, IpAddress> parsed = new HashMap<>();

    private final Map<String, Network> networks = new HashMap<>();
    private long probes;

    AddressBook(Recorded recorded) {
        recorded.takenAddresses().forEach(address -> taken.add(address(address)));
        for (Recorded.Instance instance : recorded.instances()) {
            for (String text : instance.addresses().values()) {
                IpAddress address = address(text);
                taken.add(address);
                owners.put(address, instance);
            }
        }
        // A VM that was made for a change that was cut off has the instance's addresses to come.
        for (Recorded.Instance instance : recorded.instances()) {
            if (instance.vm() != null) {
                for (String text : instance.vm().shape().addresses()) {
                    taken.add(address(text));
                    owners.putIfAbsent(address(text), instance);
                }
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
        return owners.get(address(address));
    }

    /** Takes a listed address; false when somebody else has it. */
    boolean claim(String text, @Nullable InstanceId instance) {
        IpAddress address = address(text);
        Recorded.Instance owner = owners.get(address);
        return owner != null ? owner.id().equals(instance) : taken.add(address);
    }

    final class Network {
        private final Manual manual;

        /**
         * Per subnet what was not looked at yet: addresses are not freed within a plan, so it only
         * moves up.
         */
        private final Map<Subnet, Iterator<IpAddress>> left = new HashMap<>();

        Network(Desired.Network network) {
            var subnets = new ArrayList<Subnet>();
            network.subnets().forEach(subnet -> subnets.add(subnet(subnet)));
            manual = new Manual(network.name(), subnets);
            subnets.forEach(subnet -> left.put(subnet, subnet.candidates().iterator()));
        }

        /** The lowest free address for an instance in that az, taken; null: no more. */
        @Nullable String deal(@Nullable String az) {
            for (Subnet subnet : manual.subnetsFor(az)) {
                Iterator<IpAddress> candidates = left.get(subnet);
                while (candidates != null && candidates.hasNext()) {
                    probes++;
                    IpAddress candidate = candidates.next();
                    if (taken.add(candidate)) {
                        return candidate.toString();
                    }
                }
            }
            return null;
        }

        /** Whether an instance in that az may go on with the address it has. */
        boolean mayKeep(String text, @Nullable String az, boolean asStatic) {
            IpAddress address = address(text);
            return manual.subnetOf(address)
                    .filter(s -> s.serves(az))
                    .filter(s -> !s.isRestricted(address) && s.isStatic(address) == asStatic)
                    .isPresent();
        }

        /** The subnet that lists the address as static. */
        @Nullable Subnet staticSubnet(String text) {
            IpAddress address = address(text);
            return manual.subnetOf(address).filter(s -> s.isStatic(address)).orElse(null);
        }

        /** What CPI and agent get. */
        Map<String, Object> settings(String text, List<String> defaults) {
            return manual.settings(address(text), defaults.stream().sorted().toList());
        }
    }

    private static Subnet subnet(Desired.Subnet source) {
        try {
            int slash = source.range().indexOf('/');
            return new Subnet(
                    IpRange.parse(source.range()),
                    Integer.parseInt(source.range().substring(slash + 1)),
                    source.gateway() == null ? null : IpAddress.parse(source.gateway()),
                    source.dns(),
                    source.reserved().stream().map(IpRange::parse).toList(),
                    source.statics().stream().map(IpRange::parse).toList(),
                    source.azs(),
                    source.cloudProperties());
        } catch (IllegalArgumentException e) {
            throw new ProblemException(160010, String.valueOf(e.getMessage()));
        }
    }

    private IpAddress address(String text) {
        return parsed.computeIfAbsent(text, AddressBook::parse);
    }

    private static IpAddress parse(String text) {
        try {
            return IpAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(160010, String.valueOf(e.getMessage()));
        }
    }
}

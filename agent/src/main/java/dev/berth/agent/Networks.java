package dev.berth.agent;

import dev.berth.model.Fields;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The networks of an apply spec, completed with what only the VM knows: its dynamic addresses. */
final class Networks {
    private final Supplier<Settings> settings;

    Networks(Supplier<Settings> settings) {
        this.settings = settings;
    }

    Map<String, Object> resolve(Map<String, Object> wished) {
        Map<String, Object> known = settings.get().document().networks();
        var result = new LinkedHashMap<>(wished);
        wished.forEach((name, value) -> {
            if (!known.containsKey(name)) {
                throw new ActionException("Network '" + name + "' is not found in settings");
            }
            Fields own = Fields.of(known.get(name), "network " + name);
            if (own.string("type", "manual").equals("dynamic")) {
                result.put(name, filled(Fields.of(value, "network " + name), own));
            }
        });
        return result;
    }

    private static Map<String, Object> filled(Fields wished, Fields own) {
        var network = new LinkedHashMap<>(wished.tree());
        String ip = own.string("ip", "");
        network.put("ip", ip.isEmpty() ? ownAddress().orElse("") : ip);
        network.put("netmask", own.string("netmask", ""));
        network.put("gateway", own.string("gateway", ""));
        return network;
    }

    /** Whether an interface of this VM has the address, and is up. */
    static boolean has(String address) {
        try {
            NetworkInterface link =
                    NetworkInterface.getByInetAddress(InetAddress.ofLiteral(address));
            return link != null && link.isUp();
        } catch (SocketException | IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * The address of the first interface that is neither a loopback nor one of Docker's bridges.
     */
    static Optional<String> ownAddress() {
        try {
            for (NetworkInterface link :
                    Collections.list(NetworkInterface.getNetworkInterfaces())) {
                boolean inner = link.getName().matches("(docker|br-|veth).*");
                if (!inner && !link.isLoopback() && link.isUp()) {
                    for (InetAddress address : Collections.list(link.getInetAddresses())) {
                        if (address instanceof Inet4Address) {
                            return Optional.of(address.getHostAddress());
                        }
                    }
                }
            }
            return Optional.empty();
        } catch (SocketException e) {
            return Optional.empty();
        }
    }
}

package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cloud properties of a VM, as this CPI understands them; other keys are left to other CPIs.
 *
 * @param memoryMb 0: no limit
 * @param cpus 0: no limit
 * @param ephemeralDiskMb told to the VM's volume as a label; the engine's volumes have no quota
 */
record VmSpec(long memoryMb, double cpus, long ephemeralDiskMb, List<Port> ports) {
    /** A port of the VM published on the host. */
    record Port(String hostIp, String hostPort, String vmPort) {}

    static VmSpec fromTree(Map<String, Object> properties) {
        Fields f = Fields.of(properties, "cloud_properties");
        long memory = f.integer("memory", 0);
        double cpus = number(properties.get("cpus"));
        if (memory != 0 && memory < 64) {
            throw wrong("memory: " + memory + " MiB is too little for a VM, 64 is the least");
        }
        if (cpus < 0) {
            throw wrong("cpus must not be negative");
        }
        var ports = new ArrayList<Port>();
        for (Object port : f.list("ports")) {
            ports.add(port(String.valueOf(port)));
        }
        return new VmSpec(memory, cpus, f.integer("ephemeral_disk", 0), ports);
    }

    private static double number(@Nullable Object value) {
        return switch (value) {
            case null -> 0;
            case Number number -> number.doubleValue();
            default -> throw wrong("cpus should be a number, not '" + value + "'");
        };
    }

    /** {@code [IP:]HOST:VM[/udp]}, or one number for both. */
    private static Port port(String text) {
        String protocol = text.endsWith("/udp") ? "/udp" : "/tcp";
        String plain = text.replaceFirst("/(udp|tcp)$", "");
        String[] parts = plain.split(":", -1);
        String vm = parts[parts.length - 1];
        String host = parts.length == 1 ? vm : parts[parts.length - 2];
        String ip = parts.length == 3 ? parts[0] : "";
        if (parts.length > 3 || !vm.matches("\\d{1,5}") || !host.matches("\\d{0,5}")) {
            throw wrong("ports: '" + text + "' is not [IP:]HOST:VM[/udp]");
        }
        return new Port(ip, host, vm + protocol);
    }

    private static CpiException wrong(String what) {
        return new CpiException(CpiException.Type.CPI_ERROR, "cloud_properties: " + what);
    }

    Map<String, Object> exposedPorts() {
        var exposed = new LinkedHashMap<String, Object>();
        ports.forEach(port -> exposed.put(port.vmPort(), Map.of()));
        return exposed;
    }

    Map<String, Object> portBindings() {
        var bindings = new LinkedHashMap<String, Object>();
        for (Port port : ports) {
            var list = new ArrayList<Object>();
            if (bindings.get(port.vmPort()) instanceof List<?> others) {
                list.addAll(others);
            }
            list.add(Json.of("HostIp", port.hostIp(), "HostPort", port.hostPort()));
            bindings.put(port.vmPort(), list);
        }
        return bindings;
    }
}

package dev.berth.cpi.docker;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a VM is made from: the container's create body and the agent's settings. Pure. */
final class VmBody {
    static final String INIT = "/var/vcap/bosh/bin/berth-init";
    static final String SETTINGS = "/var/vcap/bosh/warden-cpi-agent-env.json";

    /** Long enough for the VM to stop its containers and unmount; then the engine kills it. */
    static final int STOP_SECONDS = 40;

    private VmBody() {}

    /**
     * One network of the VM, as a Docker network.
     *
     * @param ip empty: the engine chooses
     */
    record Attachment(String network, String ip) {
        Map<String, Object> endpoint() {
            return ip.isEmpty() ? Map.of() : Json.of("IPAMConfig", Json.of("IPv4Address", ip));
        }
    }

    static Map<String, Object> container(
            VmCid vm,
            String image,
            VmSpec spec,
            Attachment first,
            Map<String, String> labels,
            List<String> binds,
            List<String> capabilities,
            List<String> hosts) {
        return Json.of(
                "Image",
                image,
                "Cmd",
                List.of(INIT),
                "Entrypoint",
                List.of(),
                "User",
                "0:0",
                "Hostname",
                hostname(vm),
                "StopTimeout",
                STOP_SECONDS,
                "StopSignal",
                "SIGTERM",
                "Tty",
                false,
                "OpenStdin",
                false,
                "Labels",
                labels,
                "ExposedPorts",
                spec.exposedPorts(),
                "HostConfig",
                hostConfig(spec, first, binds, capabilities, hosts),
                "NetworkingConfig",
                Json.of("EndpointsConfig", Json.of(first.network(), first.endpoint())));
    }

    /**
     * Not privileged: every right is asked for by name, so that a host may refuse full privilege.
     */
    private static Map<String, Object> hostConfig(
            VmSpec spec,
            Attachment first,
            List<String> binds,
            List<String> capabilities,
            List<String> hosts) {
        Map<String, Object> config =
                Json.of(
                        "NetworkMode",
                        first.network(),
                        "CapAdd",
                        capabilities,
                        "SecurityOpt",
                        List.of("seccomp=unconfined", "apparmor=unconfined"),
                        "MaskedPaths",
                        List.of(),
                        "ReadonlyPaths",
                        List.of(),
                        "DeviceCgroupRules",
                        List.of("a *:* rwm"),
                        "CgroupnsMode",
                        "private",
                        "Binds",
                        binds,
                        "ExtraHosts",
                        hosts,
                        "PortBindings",
                        spec.portBindings(),
                        // Who restarts a VM is decided by the director, disks first.
                        "RestartPolicy",
                        Json.of("Name", "no"));
        if (spec.memoryMb() > 0) {
            config.put("Memory", spec.memoryMb() * 1024 * 1024);
        }
        if (spec.cpus() > 0) {
            config.put("NanoCpus", Math.round(spec.cpus() * 1_000_000_000L));
        }
        return config;
    }

    private static String hostname(VmCid vm) {
        return vm.value().length() > 63 ? vm.value().substring(0, 63) : vm.value();
    }

    /**
     * The environment's registry is known by name from the first moment: the VM's engine, which
     * starts before the agent can say it, remembers for seconds that a name was not there.
     */
    static List<String> hosts(Map<String, Object> env) {
        Fields registry = Fields.of(env, "env").object("bosh").object("berth").object("registry");
        return registry.has("name") && registry.has("host")
                ? List.of(registry.string("name") + ":" + registry.string("host"))
                : List.of();
    }

    /** BOSH's settings document; {@code env} goes in untouched, for all else hangs on it. */
    static Map<String, Object> settings(
            AgentId agent,
            VmCid vm,
            Map<String, Object> networks,
            Map<String, Object> env,
            Map<String, Object> agentProperties) {
        Fields agentDefaults = Fields.of(agentProperties, "agent");
        List<String> urls = Fields.of(env, "env").object("bosh").object("mbus").strings("urls");
        return Json.of(
                "agent_id",
                agent.value(),
                "vm",
                Json.of("name", vm.value(), "id", vm.value()),
                "mbus",
                urls.isEmpty() ? agentDefaults.string("mbus", "") : urls.getFirst(),
                "ntp",
                agentDefaults.list("ntp"),
                "blobstore",
                agentDefaults.object("blobstore").tree(),
                "networks",
                preconfigured(networks),
                "disks",
                Json.of("system", "", "persistent", Map.of()),
                "env",
                env);
    }

    /** The engine has set the interfaces up; the agent only takes the DNS servers from here. */
    static Map<String, Object> preconfigured(Map<String, Object> networks) {
        var result = new LinkedHashMap<String, Object>();
        networks.forEach((name, network) -> {
            var copy = new LinkedHashMap<>(Json.asObject(network));
            copy.put("preconfigured", true);
            result.put(name, copy);
        });
        return result;
    }

    /** The networks in the order of their connection: the one with the default gateway first. */
    static List<Map.Entry<String, Fields>> ordered(Map<String, Object> networks) {
        var list = new ArrayList<Map.Entry<String, Fields>>();
        networks.forEach((name, network) -> {
            Fields fields = Fields.of(network, "networks." + name);
            boolean gateway = fields.strings("default").contains("gateway");
            list.add(gateway ? 0 : list.size(), Map.entry(name, fields));
        });
        return list;
    }
}

package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.engine.Engine;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Other networks and addresses for a VM that runs. */
final class Addresses {
    private final Engine engine;
    private final Base base;
    private final Vms vms;

    Addresses(Engine engine, Base base, Vms vms) {
        this.engine = engine;
        this.base = base;
        this.vms = vms;
    }

    /**
     * Network by network in the order of a new VM, so that the default route is the same. A call
     * that died here is made good by the same call again.
     */
    void give(CpiContext context, VmCid vm, Map<String, Object> networks) {
        try (var lock = vms.lock(vm)) {
            Fields container =
                    Fields.of(vms.inspect(vm).orElseThrow(() -> Vms.notFound(vm)), "container");
            List<VmBody.Attachment> wanted = vms.attachments(context, networks);
            remember(vm, networks);
            String id = container.string("Id");
            Map<String, Object> there =
                    container.object("NetworkSettings").object("Networks").tree();
            if (wanted.size() == there.size()
                    && wanted.stream().allMatch(attachment -> isThere(there, attachment))) {
                return;
            }
            there.forEach((network, endpoint) -> {
                // One that it was refused to is listed too, and cannot be left.
                if (!Fields.of(endpoint, "endpoint").string("EndpointID", "").isEmpty()) {
                    engine.disconnectNetwork(network, id);
                }
            });
            for (VmBody.Attachment attachment : wanted) {
                engine.connectNetwork(
                        attachment.network(),
                        Json.of("Container", id, "EndpointConfig", attachment.endpoint()));
            }
        }
    }

    private static boolean isThere(Map<String, Object> there, VmBody.Attachment wanted) {
        Object endpoint = there.get(wanted.network());
        return endpoint != null
                && (wanted.ip().isEmpty()
                        || Fields.of(endpoint, "endpoint")
                                .string("IPAddress", "")
                                .equals(wanted.ip()));
    }

    /** What the agent reads when it starts the next time. */
    private void remember(VmCid vm, Map<String, Object> networks) {
        Records.read(base.settings(vm))
                .ifPresent(settings -> {
                    var next = new LinkedHashMap<>(settings.tree());
                    next.put("networks", VmBody.preconfigured(networks));
                    Records.write(base.settings(vm), next);
                });
    }
}

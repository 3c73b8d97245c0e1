package dev.berth.cpi;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.util.Locale;
import java.util.Map;

/** The JSON form of {@link Cpi.CloudObject}, in {@code berth_inventory}. */
final class CloudObjects {
    private CloudObjects() {}

    static Map<String, Object> toTree(Cpi.CloudObject object) {
        AgentId agent = object.agent();
        VmCid vm = object.attachedTo();
        return Json.of(
                "kind",
                object.kind().name().toLowerCase(Locale.ROOT),
                "cid",
                object.cid(),
                "request_id",
                object.requestId(),
                "agent_id",
                agent == null ? null : agent.value(),
                "attached_to",
                vm == null ? null : vm.value(),
                "size",
                object.sizeMb(),
                "metadata",
                object.metadata());
    }

    static Cpi.CloudObject fromTree(Object tree) {
        Fields f = Fields.of(tree, "inventory");
        String agent = f.optionalString("agent_id");
        String vm = f.optionalString("attached_to");
        return new Cpi.CloudObject(
                Cpi.CloudObject.Kind.valueOf(f.string("kind").toUpperCase(Locale.ROOT)),
                f.string("cid"),
                f.string("request_id", ""),
                agent == null ? null : new AgentId(agent),
                vm == null ? null : new VmCid(vm),
                f.integer("size", 0),
                f.stringMap("metadata"));
    }
}

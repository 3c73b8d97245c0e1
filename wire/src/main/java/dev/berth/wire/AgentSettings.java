package dev.berth.wire;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings document a CPI gives to a VM, read with the precedence of the protocol reference
 * (chapter 16.5, without the update_settings overlay, which the agent keeps itself).
 *
 * @param mbus URLs of the bus, {@code nats://HOST:PORT}
 * @param cert the agent's {@code {ca, certificate, private_key}}; null when the bus needs none
 * @param registry Berth's own {@code env.bosh.berth.registry}; null when the VM has no environment
 *     registry
 */
public record AgentSettings(
        AgentId agentId,
        String vmName,
        List<String> mbus,
        @Nullable Certificate cert,
        Map<String, Object> networks,
        @Nullable Registry registry,
        Map<String, Object> tree) {
    /** PEM texts; the key is never printed. */
    public record Certificate(String ca, String certificate, String privateKey) {
        public static @Nullable Certificate fromTree(@Nullable Object tree) {
            if (!(tree instanceof Map<?, ?> map) || map.get("ca") == null) {
                return null;
            }
            Fields f = Fields.of(tree, "cert");
            return new Certificate(
                    f.string("ca"), f.string("certificate"), f.string("private_key"));
        }

        @Override
        public String toString() {
            return "Certificate[<redacted>]";
        }
    }

    /**
     * The environment's registry: in the VM {@code name} resolves to {@code host} and its port 443
     * leads to {@code port}, so that one image name means the same everywhere.
     */
    public record Registry(
            String name, String host, int port, String ca, String username, String password) {
        public static @Nullable Registry fromTree(@Nullable Object tree) {
            if (!(tree instanceof Map<?, ?>)) {
                return null;
            }
            Fields f = Fields.of(tree, "registry");
            return new Registry(
                    f.string("name"),
                    f.string("host"),
                    (int) f.integer("port"),
                    f.string("ca"),
                    f.string("username", ""),
                    f.string("password", ""));
        }

        @Override
        public String toString() {
            return "Registry[" + name + " at " + host + ":" + port + "]";
        }
    }

    public static AgentSettings fromTree(Object tree) {
        Fields f = Fields.of(tree, "agent settings");
        Fields bosh = f.object("env").object("bosh");
        Fields mbus = bosh.object("mbus");
        List<String> urls = mbus.strings("urls");
        return new AgentSettings(
                new AgentId(f.string("agent_id")),
                f.object("vm").string("name", ""),
                urls.isEmpty() && f.has("mbus") ? List.of(f.string("mbus")) : urls,
                Certificate.fromTree(mbus.tree().get("cert")),
                f.object("networks").tree(),
                Registry.fromTree(bosh.object("berth").tree().get("registry")),
                f.tree());
    }
}

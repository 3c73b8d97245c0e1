package dev.berth.model;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a group wants of the Docker daemon of its VMs: only what the manifest gives. May hold
 * secrets: never print it, print its {@link #digest()}.
 *
 * @param config keys of the daemon's JSON file, in its own names and types
 * @param storeDir below which images and layers are kept; empty: on the ephemeral disk
 * @param cidrPrefix of the default bridge, completed by the instance's index: {@code
 *     PREFIX.INDEX.1/24}; empty: none
 * @param registryCas PEM certificates by registry, {@code HOST[:PORT]}
 * @param proxies environment of the daemon; values may hold passwords
 * @param tcp a port beside the socket; {@link Tcp#NONE}: none
 * @param nofile limit on open files of the daemon and of what it starts; 0: the VM's own
 * @param maxMapCount the kernel's {@code vm.max_map_count} at least; 0: the VM's own
 */
public record DaemonSettings(
        Map<String, Object> config,
        String storeDir,
        String cidrPrefix,
        Map<String, String> registryCas,
        Map<String, Secret> proxies,
        Tcp tcp,
        long nofile,
        long maxMapCount) {
    public static final DaemonSettings NONE =
            new DaemonSettings(Map.of(), "", "", Map.of(), Map.of(), Tcp.NONE, 0, 0);

    /** A port that asks its callers for certificates of the same authority. */
    public record Tcp(String address, long port, String ca, String certificate, Secret key) {
        public static final Tcp NONE = new Tcp("", 0, "", "", new Secret(""));

        public boolean isOpen() {
            return !address.isEmpty();
        }

        @Override
        public String toString() {
            return "Tcp[" + address + ":" + port + "]";
        }
    }

    public boolean isEmpty() {
        return equals(NONE);
    }

    /** SHA-256 over everything it says; equal digests mean there is nothing to change (rule R5). */
    public String digest() {
        return Digests.sha256(Json.canonical(toTree()));
    }

    /** The form that travels in the apply spec, secrets revealed; without what is not given. */
    public Map<String, Object> toTree() {
        var tree = new LinkedHashMap<String, Object>();
        putUnless(config.isEmpty(), tree, "config", config);
        putUnless(storeDir.isEmpty(), tree, "store_dir", storeDir);
        putUnless(cidrPrefix.isEmpty(), tree, "cidr_prefix", cidrPrefix);
        putUnless(registryCas.isEmpty(), tree, "registry_cas", registryCas);
        var revealed = new LinkedHashMap<String, Object>();
        proxies.forEach((name, value) -> revealed.put(name, value.reveal()));
        putUnless(proxies.isEmpty(), tree, "proxies", revealed);
        if (tcp.isOpen()) {
            tree.put(
                    "tcp",
                    Json.of(
                            "address",
                            tcp.address,
                            "port",
                            tcp.port,
                            "ca",
                            tcp.ca,
                            "certificate",
                            tcp.certificate,
                            "key",
                            tcp.key.reveal()));
        }
        putUnless(nofile == 0, tree, "nofile", nofile);
        putUnless(maxMapCount == 0, tree, "max_map_count", maxMapCount);
        return tree;
    }

    private static void putUnless(
            boolean empty, Map<String, Object> tree, String key, Object value) {
        if (!empty) {
            tree.put(key, value);
        }
    }

    /**
     * Reads what {@link #toTree} wrote.
     *
     * @throws IllegalArgumentException naming the key that is wrong
     */
    public static DaemonSettings fromTree(Map<String, Object> tree) {
        Fields f = Fields.of(tree, "daemon");
        var proxies = new LinkedHashMap<String, Secret>();
        f.stringMap("proxies").forEach((name, value) -> proxies.put(name, new Secret(value)));
        Fields t = f.object("tcp");
        Tcp tcp =
                t.tree().isEmpty()
                        ? Tcp.NONE
                        : new Tcp(
                                t.string("address"),
                                t.integer("port"),
                                t.string("ca"),
                                t.string("certificate"),
                                new Secret(t.string("key")));
        return new DaemonSettings(
                f.object("config").tree(),
                f.string("store_dir", ""),
                f.string("cidr_prefix", ""),
                f.stringMap("registry_cas"),
                proxies,
                tcp,
                f.integer("nofile", 0),
                f.integer("max_map_count", 0));
    }

    /** Digest only: proxies and keys are secrets (rule R8). */
    @Override
    public String toString() {
        return "DaemonSettings[" + digest().substring(0, 12) + "]";
    }
}

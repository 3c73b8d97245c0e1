package dev.berth.supervisor;

import dev.berth.model.Json;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a change of a daemon's files asks for, at the least. Pure.
 *
 * @param names of what differs, in the daemon's own words
 */
public record DaemonChange(Effect effect, Set<String> names) {
    /** How much moves, in growing order. */
    public enum Effect {
        NOTHING,
        /** Files that the daemon, or the kernel, looks at by itself. */
        FILES,
        /** The daemon reads its file again. */
        RELOAD,
        /** The daemon is started anew, and takes over the containers, which run on. */
        RESTART,
        /** What live-restore cannot carry: containers stop, and are made anew after it. */
        CONTAINERS
    }

    /** Read again at SIGHUP by engine 20.10 and all later ones. */
    static final Set<String> RELOADED =
            Set.of(
                    "debug",
                    "default-runtime",
                    "features",
                    "insecure-registries",
                    "labels",
                    "live-restore",
                    "max-concurrent-downloads",
                    "max-concurrent-uploads",
                    "registry-mirrors",
                    "runtimes",
                    "shutdown-timeout");

    /**
     * With containers running, a new daemon leaves networks as it finds them, and of another
     * storage it would not find the containers at all.
     */
    static final Set<String> STOPS_CONTAINERS =
            Set.of(
                    "bip",
                    "bridge",
                    "data-root",
                    "default-address-pools",
                    "default-gateway",
                    "default-gateway-v6",
                    "exec-opts",
                    "icc",
                    "ip",
                    "ip-masq",
                    "iptables",
                    "ipv6",
                    "mtu",
                    "selinux-enabled",
                    "storage-driver",
                    "storage-opts");

    static DaemonChange between(DaemonFiles was, DaemonFiles now) {
        var names = new TreeSet<String>();
        Effect effect = Effect.NOTHING;
        var keys = new TreeSet<>(was.json().keySet());
        keys.addAll(now.json().keySet());
        for (String key : keys) {
            if (!same(was.json().get(key), now.json().get(key))) {
                names.add(key);
                effect = larger(effect, effectOf(key));
            }
        }
        effect = larger(effect, of(was.bridge(), now.bridge(), "bridge", Effect.CONTAINERS, names));
        effect =
                larger(
                        effect,
                        of(was.environment(), now.environment(), "proxy", Effect.RESTART, names));
        effect = larger(effect, of(was.tls(), now.tls(), "tls", Effect.RESTART, names));
        effect = larger(effect, of(was.nofile(), now.nofile(), "nofile", Effect.RESTART, names));
        effect =
                larger(
                        effect,
                        of(
                                was.certificates(),
                                now.certificates(),
                                "registry certificates",
                                Effect.FILES,
                                names));
        effect =
                larger(
                        effect,
                        of(
                                was.maxMapCount(),
                                now.maxMapCount(),
                                "vm.max_map_count",
                                Effect.FILES,
                                names));
        boolean carried = was.liveRestore() && now.liveRestore();
        return new DaemonChange(
                effect == Effect.RESTART && !carried ? Effect.CONTAINERS : effect, names);
    }

    static Effect effectOf(String key) {
        return RELOADED.contains(key)
                ? Effect.RELOAD
                : STOPS_CONTAINERS.contains(key) ? Effect.CONTAINERS : Effect.RESTART;
    }

    private static Effect of(
            Object was, Object now, String name, Effect effect, Set<String> names) {
        if (was.equals(now)) {
            return Effect.NOTHING;
        }
        names.add(name);
        return effect;
    }

    private static boolean same(@Nullable Object a, @Nullable Object b) {
        return Objects.equals(
                a == null ? null : Json.canonical(a), b == null ? null : Json.canonical(b));
    }

    private static Effect larger(Effect a, Effect b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    /** For an operator. */
    String text() {
        String what = " (" + String.join(", ", names) + ")";
        return switch (effect) {
            case NOTHING -> "";
            case FILES -> "docker daemon not touched" + what + "; no container touched";
            case RELOAD -> "docker daemon reloaded" + what + "; no container touched";
            case RESTART ->
                    "docker daemon restarted under live-restore" + what + "; no container stopped";
            case CONTAINERS ->
                    "docker daemon restarted"
                            + what
                            + "; its containers were stopped in order and made anew";
        };
    }
}

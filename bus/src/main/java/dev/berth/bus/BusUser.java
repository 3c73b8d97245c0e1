package dev.berth.bus;

import java.util.List;

/**
 * The director's own users of the bus. NATS knows a client by a DNS name of its certificate, which
 * it looks up, or else by the certificate's whole subject, for which it goes through all users:
 * with ten thousand of them that takes longer than clients wait.
 */
enum BusUser {
    /** Asks agents. */
    DIRECTOR("director", List.of("agent.*", "hm.director.alert"), List.of("director.>")),
    /** Hears what agents tell of themselves. */
    MONITOR(
            "hm",
            List.of(),
            List.of(
                    "hm.agent.heartbeat.*",
                    "hm.agent.alert.*",
                    "hm.agent.shutdown.*",
                    "hm.director.alert")),
    /** Hears from the server itself who is there, comes and goes; lives in the system account. */
    SYSTEM(
            "system",
            List.of("$SYS.REQ.ACCOUNT.*.CONNZ"),
            List.of("$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT", "_INBOX.>"));

    private final String word;
    private final List<String> publishes;
    private final List<String> subscribes;

    BusUser(String word, List<String> publishes, List<String> subscribes) {
        this.word = word;
        this.publishes = publishes;
        this.subscribes = subscribes;
    }

    String fileName() {
        return "bus-" + word;
    }

    String commonName() {
        return "default." + word + ".bosh-internal";
    }

    /** The user's entry in the server's configuration. */
    String entry() {
        return entry(commonName(), permissions(publishes, subscribes));
    }

    /** The name an agent's certificates carry: as common name and as DNS name. */
    static String agentName(String id) {
        return id + ".agent.bosh-internal";
    }

    /**
     * An agent's entries: its own subjects and no others. The second is for a certificate of before
     * certificates had DNS names.
     */
    static String agentEntries(String id) {
        String name = agentName(id);
        String permissions =
                permissions(
                        List.of(
                                "hm.agent.heartbeat." + id,
                                "hm.agent.alert." + id,
                                "hm.agent.shutdown." + id,
                                "director.*." + id + ".*"),
                        List.of("agent." + id));
        return entry(name, permissions)
                + ", "
                + entry("CN=" + name + ",O=Cloud Foundry,C=USA", permissions);
    }

    private static String entry(String user, String permissions) {
        return "{user: \"" + user + "\", permissions: " + permissions + "}";
    }

    private static String permissions(List<String> publishes, List<String> subscribes) {
        return "{publish: " + allow(publishes) + ", subscribe: " + allow(subscribes) + "}";
    }

    private static String allow(List<String> subjects) {
        return subjects.isEmpty()
                ? "{deny: [\">\"]}"
                : "{allow: [\"" + String.join("\", \"", subjects) + "\"]}";
    }
}

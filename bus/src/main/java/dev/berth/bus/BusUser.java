package dev.berth.bus;

import java.util.List;

/**
 * The director's own users of the bus. NATS knows a client by the whole subject of its certificate.
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
        return entry(commonName(), publishes, subscribes);
    }

    /** An agent's entry: its own subjects and no others. */
    static String agentEntry(String id) {
        return entry(
                id + ".agent.bosh-internal",
                List.of(
                        "hm.agent.heartbeat." + id,
                        "hm.agent.alert." + id,
                        "hm.agent.shutdown." + id,
                        "director.*." + id + ".*"),
                List.of("agent." + id));
    }

    /**
     * The subject is written as Go prints it, so that the server finds it by one look-up instead of
     * parsing the subjects of all users at each connection.
     */
    private static String entry(
            String commonName, List<String> publishes, List<String> subscribes) {
        return "{user: \"CN="
                + commonName
                + ",O=Cloud Foundry,C=USA\", permissions: {publish: "
                + allow(publishes)
                + ", subscribe: "
                + allow(subscribes)
                + "}}";
    }

    private static String allow(List<String> subjects) {
        return subjects.isEmpty()
                ? "{deny: [\">\"]}"
                : "{allow: [\"" + String.join("\", \"", subjects) + "\"]}";
    }
}

package dev.berth.bus;

import dev.berth.model.Digests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files of the server's folder: its configuration, its users, its process id and its log. */
record NatsConfig(Path folder) {
    private static final System.Logger LOG = System.getLogger(NatsConfig.class.getName());
    private static final int FORMER_LOGS = 2;
    private static final Pattern AGENT =
            Pattern.compile("user: \"(?:CN=)?([A-Za-z0-9-]+)\\.agent\\.bosh-internal[\",]");
    private static final Pattern PORT = Pattern.compile("(?m)^port: (\\d+)$");

    Path main() {
        return folder.resolve("nats.conf");
    }

    Path log() {
        return folder.resolve("nats.log");
    }

    /**
     * The server begins a new log when one is full and keeps all former ones; each reload writes a
     * line for each agent. The newest stay, for people.
     */
    void dropOldLogs() {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> old =
                    files.filter(f ->
                                    f.getFileName()
                                            .toString()
                                            .startsWith(log().getFileName() + "."))
                            .sorted(Comparator.reverseOrder()) // the names end with the time
                            .skip(FORMER_LOGS)
                            .toList();
            for (Path file : old) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.log(System.Logger.Level.WARNING, "old logs stay in {0}: {1}", folder, e);
        }
    }

    Path pidFile() {
        return folder.resolve("nats.pid");
    }

    private Path users() {
        return folder.resolve("users.conf");
    }

    /**
     * The whole configuration but for the agents; TLS clients must hold a certificate of the CA.
     */
    String text(String bindAddress, int port, Pki pki) {
        return """
        server_name: "%s"
        host: "%s"
        port: %d
        pid_file: "%s"
        log_file: "%s"
        logfile_size_limit: 10MB
        max_payload: 1MB
        max_connections: 65536
        ping_interval: "5s"
        ping_max: 2
        write_deadline: "10s"
        tls {
          cert_file: "%s"
          key_file: "%s"
          ca_file: "%s"
          verify_and_map: true
          timeout: 30
        }
        system_account: SYS
        accounts {
          SYS { users: [%s] }
          BERTH { include "users.conf" }
        }
        """
                .formatted(
                        serverName(),
                        bindAddress,
                        port,
                        pidFile(),
                        log(),
                        pki.certificateFile("nats"),
                        pki.keyFile("nats"),
                        pki.caFile(),
                        BusUser.SYSTEM.entry());
    }

    /** Its own for each folder: servers of several environments run on one machine. */
    String serverName() {
        return "berth-" + Digests.sha256(folder.toString()).replace("sha256:", "").substring(0, 12);
    }

    void write(String text) {
        PrivateFiles.write(main(), text);
    }

    /** Only the agents' ids are kept; who they belong to is the store's matter. */
    void writeUsers(Collection<String> agents) {
        var text = new StringBuilder("users: [\n");
        text.append("  ").append(BusUser.DIRECTOR.entry()).append('\n');
        text.append("  ").append(BusUser.MONITOR.entry()).append('\n');
        for (String agent : agents) {
            text.append("  ").append(BusUser.agentEntries(agent)).append('\n');
        }
        PrivateFiles.write(users(), text.append("]\n").toString());
    }

    /** The agents let in by a predecessor, so that a restart cuts nobody off. */
    Set<String> readAgents() {
        var agents = new TreeSet<String>();
        Matcher matcher = AGENT.matcher(readIfThere(users()));
        while (matcher.find()) {
            agents.add(matcher.group(1));
        }
        return agents;
    }

    /** The configuration a predecessor wrote; empty when there was none. */
    String previous() {
        return readIfThere(main());
    }

    /** The port a predecessor used, which agents have in their settings; 0 when none did. */
    int previousPort() {
        Matcher matcher = PORT.matcher(previous());
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private static String readIfThere(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}

package dev.berth.director;

import dev.berth.bus.Pki;
import dev.berth.model.Clock;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Tells of certificates that are about to end: what is renewed by itself was not, though it was
 * tried for half of the time that there is for it, or nobody renews it but a person. One alert for
 * each certificate of the environment and one for all agents, with ids that stay the same. Not
 * thread-safe: its keeper's.
 */
final class CertificateAlerts {
    /** A person has a quarter of a year to change the CA. */
    private static final Duration CA_NOTICE = Duration.ofDays(90);

    private static final int NAMED = 10;
    private static final String AGENTS = "certificate/agents";

    private final Pki pki;
    private final Store store;
    private final AlertSink sink;
    private final Clock clock;

    /** What was told, by id; a director that is new tells the end of all that is well. */
    private final Map<String, String> told = new HashMap<>();

    CertificateAlerts(Pki pki, Store store, AlertSink sink, Clock clock) {
        this.pki = pki;
        this.store = store;
        this.sink = sink;
        this.clock = clock;
    }

    void look() {
        for (Map.Entry<String, Instant> one : new TreeMap<>(pki.ends()).entrySet()) {
            server(one.getKey(), one.getValue());
        }
        agents();
    }

    private void server(String name, Instant end) {
        String id = "certificate/" + name;
        Instant now = clock.now();
        if (now.isBefore(notice(name, end))) {
            end(id);
            return;
        }
        boolean isOver = !now.isBefore(end);
        String title =
                name.equals("ca")
                        ? "The CA of the environment " + (isOver ? "has ended" : "is about to end")
                        : "The certificate '"
                                + name
                                + "' "
                                + (isOver ? "has ended" : "is about to end");
        String remedy =
                name.equals("ca")
                        ? "berth rotate-ca makes another one, with which all agents go on."
                        : "The director did not renew it: see its log; a start renews it, too.";
        tell(id, isOver ? 1 : 2, title, "It ends on " + end + ". " + remedy);
    }

    private Instant notice(String name, Instant end) {
        if (name.startsWith("ca-next")) {
            return Instant.MAX;
        }
        Instant renewal = pki.renewalOfFile(name);
        Duration half = Duration.between(renewal, end).dividedBy(2);
        boolean isLong = name.equals("ca") && half.compareTo(CA_NOTICE) > 0;
        return end.minus(isLong ? CA_NOTICE : half);
    }

    private void agents() {
        Instant now = clock.now();
        Set<dev.berth.model.AgentId> there =
                AgentsThere.of(store).stream().map(Rows.Vm::agent).collect(Collectors.toSet());
        List<Rows.AgentCertificate> late =
                store.read(s -> s.agentCertificates()).stream()
                        .filter(c -> there.contains(c.agent()))
                        .filter(c -> !now.isBefore(notice(c)))
                        .toList();
        if (late.isEmpty()) {
            end(AGENTS);
            return;
        }
        boolean isOver = late.stream().anyMatch(c -> !now.isBefore(c.endsAt()));
        String names =
                late.stream()
                        .limit(NAMED)
                        .map(c ->
                                c.agent()
                                        + " (ends on "
                                        + c.endsAt()
                                        + (c.trouble().isEmpty() ? "" : ": " + c.trouble())
                                        + ")")
                        .collect(Collectors.joining(", "));
        tell(
                AGENTS,
                isOver ? 1 : 2,
                "Certificates of agents "
                        + (isOver ? "have ended" : "are about to end")
                        + " and could not be renewed",
                late.size()
                        + " of them: "
                        + names
                        + (late.size() > NAMED ? " and more" : "")
                        + ". An agent that is heard is tried again every ten minutes; one whose"
                        + " certificate has ended gets another with another VM: berth recreate with"
                        + " --fix; its disks stay.");
    }

    private static Instant notice(Rows.AgentCertificate c) {
        return c.endsAt().minus(Duration.between(c.renewAt(), c.endsAt()).dividedBy(2));
    }

    private void tell(String id, int severity, String title, String summary) {
        if (!title.equals(told.put(id, title))) {
            sink.raised(
                    new Alert(
                            id,
                            severity,
                            title,
                            summary,
                            clock.now().getEpochSecond(),
                            "monitor",
                            null,
                            null));
        }
    }

    /** Told once also of what was well from the start: an earlier director may have told of it. */
    private void end(String id) {
        if (!"".equals(told.put(id, ""))) {
            sink.resolved(id, "it was renewed");
        }
    }
}

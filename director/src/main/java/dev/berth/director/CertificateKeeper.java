package dev.berth.director;

import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Sees that no certificate of the environment ends in use: makes those of servers and agents anew
 * in the last third of their life, and goes on with a change of the CA that is under way. Every
 * turn looks at everything, so that it makes no difference where an earlier one, or an earlier
 * director, was cut off. Thread-safe.
 */
final class CertificateKeeper implements AutoCloseable {
    static final String RENEW = "renew_certificates";
    static final String ROTATE = "rotate_ca";

    private static final System.Logger LOG = System.getLogger(CertificateKeeper.class.getName());
    private static final String USER = "scheduler";
    private static final Duration PERIOD = Duration.ofSeconds(60);

    /** An agent that does not take a certificate is not asked every minute for months. */
    private static final Duration PAUSE = Duration.ofMinutes(10);

    private static final int AT_ONCE = 16;

    /** Warnings of ten thousand agents are read by nobody. */
    private static final int NAMED = 20;

    /** What shows certificates of the environment itself. */
    interface Servers {
        /** Makes anew what is due, and has it taken on; returns the names. */
        List<String> renewDue();

        /** Has all of them due. */
        void forgetAll();

        /** Has the bus trust the CAs as they are now. */
        void trustChanged();
    }

    private final Pki pki;
    private final Store store;
    private final FleetView fleet;
    private final AgentRenewal renewal;
    private final Servers servers;
    private final CertificateAlerts alerts;
    private final AuditTrail trail;
    private final Clock clock;
    private final Map<AgentId, Instant> notBefore = new HashMap<>();
    private @Nullable Thread thread;

    CertificateKeeper(
            Pki pki,
            Store store,
            FleetView fleet,
            AgentRenewal renewal,
            Servers servers,
            CertificateAlerts alerts,
            Clock clock) {
        this.pki = pki;
        this.store = store;
        this.fleet = fleet;
        this.renewal = renewal;
        this.servers = servers;
        this.alerts = alerts;
        this.trail = new AuditTrail(store, clock);
        this.clock = clock;
    }

    void register(Tasks tasks) {
        tasks.register(RENEW, payload -> this::renewAll);
        tasks.register(ROTATE, payload -> task -> rotate(task, Fields.of(payload, "payload")));
    }

    /** What a request to change the CA has to say, so that done once is done. */
    Map<String, Object> rotation() {
        return Json.of("from", pki.signer());
    }

    // --- by itself

    /**
     * Renews what is due, goes on with a change of the CA, and tells of what is not as it should.
     */
    synchronized Instant turn() throws Exception {
        for (String name : servers.renewDue()) {
            told(USER, "renew", name, null, Map.of());
        }
        List<Rows.Vm> due = due(false);
        if (!due.isEmpty()) {
            renew(due, USER, null);
        }
        endRotation(USER, null);
        alerts.look();
        return clock.steady().plus(PERIOD);
    }

    private List<Rows.Vm> due(boolean all) {
        Map<AgentId, Rows.AgentCertificate> known = known();
        Instant now = clock.now();
        Instant steady = clock.steady();
        return vms().stream()
                .filter(vm -> fleet.responsive(vm.agent()))
                .filter(vm -> all || isDue(known.get(vm.agent()), now))
                .filter(vm ->
                        all || !steady.isBefore(notBefore.getOrDefault(vm.agent(), Instant.MIN)))
                .toList();
    }

    /** Of another CA, with another trust, in the last third of its life, or unknown. */
    private boolean isDue(Rows.@Nullable AgentCertificate certificate, Instant now) {
        return certificate == null
                || !now.isBefore(certificate.renewAt())
                || !certificate.signer().equals(pki.signer())
                || !certificate.trust().equals(pki.trust());
    }

    private List<Rows.Vm> vms() {
        return AgentsThere.of(store);
    }

    private Map<AgentId, Rows.AgentCertificate> known() {
        return store.read(s -> s.agentCertificates()).stream()
                .collect(Collectors.toMap(Rows.AgentCertificate::agent, Function.identity()));
    }

    /** Why an agent has no new one, by agent. */
    private Map<AgentId, String> renew(List<Rows.Vm> vms, String user, @Nullable Long task)
            throws Exception {
        var failed = new java.util.concurrent.ConcurrentHashMap<AgentId, String>();
        Parallel.VIRTUAL_THREADS.forEach(
                vms,
                AT_ONCE,
                vm -> {
                    String why = renewal.renew(vm);
                    if (why != null) {
                        failed.put(vm.agent(), why);
                    }
                });
        for (Rows.Vm vm : vms) {
            String why = failed.get(vm.agent());
            if (why == null) {
                notBefore.remove(vm.agent());
                told(user, "renew", "agent " + vm.agent(), task, Json.of("vm", vm.cid().value()));
            } else {
                notBefore.put(vm.agent(), clock.steady().plus(PAUSE));
            }
        }
        return failed;
    }

    // --- by a person

    private synchronized String renewAll(TaskContext task) throws Exception {
        TaskLog.Stage stage = task.log().stage("Renewing certificates", List.of(), 2);
        stage.step(
                "environment",
                step -> {
                    servers.forgetAll();
                    for (String name : servers.renewDue()) {
                        told(task.user(), "renew", name, task.id(), Map.of());
                    }
                });
        List<Rows.Vm> all = due(true);
        var failed = new HashMap<AgentId, String>();
        stage.step("agents", step -> failed.putAll(renew(all, task.user(), task.id())));
        int left = warnOf(task, vms(), all, failed);
        alerts.look();
        return (all.size() - failed.size())
                + " agents have new certificates"
                + (left == 0 ? "" : ", " + left + " have not: see the warnings");
    }

    /** Names those that have no new one; how many they are. */
    private int warnOf(
            TaskContext task, List<Rows.Vm> of, List<Rows.Vm> asked, Map<AgentId, String> failed) {
        var left = new ArrayList<String>();
        for (Rows.Vm vm : of) {
            if (!asked.contains(vm)) {
                left.add(name(vm) + ": its agent is not heard");
            } else if (failed.containsKey(vm.agent())) {
                left.add(name(vm) + ": " + failed.get(vm.agent()));
            }
        }
        left.stream()
                .limit(NAMED)
                .forEach(one -> task.log().warning("no new certificate for " + one));
        if (left.size() > NAMED) {
            task.log().warning((left.size() - NAMED) + " more: berth certificates names them");
        }
        return left.size();
    }

    private String name(Rows.Vm vm) {
        return store.read(s -> s.instance(vm.instance()))
                .map(i -> i.deployment() + ": " + i.group() + "/" + i.index())
                .orElse("VM " + vm.cid());
    }

    private synchronized String rotate(TaskContext task, Fields wish) throws Exception {
        boolean isDone = !pki.isRotating() && !pki.signer().equals(wish.string("from"));
        if (isDone) { // by this very task, before it was cut off
            return "the CA was changed";
        }
        TaskLog.Stage stage = task.log().stage("Changing the CA", List.of(), 3);
        stage.step(
                "trusting both",
                step -> {
                    if (!pki.isRotating()) {
                        pki.beginRotation();
                        told(task.user(), "begin", "change of the CA", task.id(), Map.of());
                    }
                    servers.trustChanged();
                });
        var failed = new HashMap<AgentId, String>();
        List<Rows.Vm> asked = new ArrayList<>();
        stage.step(
                "agents",
                step -> {
                    asked.addAll(unready());
                    asked.removeIf(vm -> !fleet.responsive(vm.agent()));
                    failed.putAll(renew(asked, task.user(), task.id()));
                });
        var ended = new boolean[1];
        stage.step(
                "trusting the new one alone",
                step -> ended[0] = endRotation(task.user(), task.id()));
        alerts.look();
        if (ended[0]) {
            return "the CA was changed; copies of ca.crt elsewhere are to be made anew";
        }
        int left = warnOf(task, unready(), asked, failed);
        return "both CAs are trusted until "
                + left
                + " agents have certificates of the new one: see the warnings";
    }

    /** VMs whose agents may not know the next CA, or are not known to it. */
    private List<Rows.Vm> unready() {
        Map<AgentId, Rows.AgentCertificate> known = known();
        return vms().stream()
                .filter(vm -> {
                    Rows.AgentCertificate has = known.get(vm.agent());
                    return has == null
                            || !has.signer().equals(pki.signer())
                            || !has.trust().equals(pki.trust());
                })
                .toList();
    }

    /** Only when nobody would be locked out. */
    private boolean endRotation(String user, @Nullable Long task) {
        if (!pki.isRotating() || !unready().isEmpty()) {
            return false;
        }
        pki.endRotation();
        servers.trustChanged();
        servers.renewDue();
        told(user, "end", "change of the CA", task, Map.of());
        return true;
    }

    private void told(
            String user,
            String action,
            String name,
            @Nullable Long task,
            Map<String, Object> context) {
        trail.record(
                new AuditTrail.Entry(
                        null, user, action, "certificate", name, task, null, null, null, context));
    }

    // --- what a person sees

    /** All that are known, the environment's first. */
    List<Map<String, Object>> list() {
        var rows = new ArrayList<Map<String, Object>>();
        pki.ends().forEach((name, end) -> rows.add(row(name, "environment", end, "")));
        Map<AgentId, Rows.AgentCertificate> known = known();
        for (Rows.Vm vm : vms()) {
            Rows.AgentCertificate has = known.get(vm.agent());
            boolean isKnown = has != null && !has.endsAt().equals(Instant.EPOCH);
            Map<String, Object> row =
                    row(
                            "agent " + vm.agent(),
                            name(vm),
                            isKnown && has != null ? has.endsAt() : null,
                            has == null ? "" : has.trouble());
            row.put("former_ca", isKnown && has != null && !has.signer().equals(pki.signer()));
            rows.add(row);
        }
        return rows;
    }

    private Map<String, Object> row(String name, String of, @Nullable Instant end, String trouble) {
        Map<String, Object> row = Json.of("name", name, "of", of, "trouble", trouble);
        if (end != null) {
            row.put("ends_at", Times.rfc3339(end));
            row.put("days_left", Duration.between(clock.now(), end).toDays());
        }
        return row;
    }

    boolean isRotating() {
        return pki.isRotating();
    }

    /** Days until the first certificate of an agent ends; null: none is known. */
    @Nullable Double agentDays() {
        return store.read(s -> s.agentCertificates()).stream()
                .filter(c -> !c.endsAt().equals(Instant.EPOCH))
                .map(c -> Duration.between(clock.now(), c.endsAt()).toHours() / 24.0)
                .min(Double::compare)
                .orElse(null);
    }

    // --- time

    void start() {
        thread = Thread.ofVirtual().name("certificates").start(this::run);
    }

    private void run() {
        try {
            while (true) {
                Instant next;
                try {
                    next = turn();
                } catch (InterruptedException e) {
                    throw e;
                } catch (Exception e) {
                    LOG.log(System.Logger.Level.ERROR, "certificates are looked at again", e);
                    next = clock.steady().plus(PERIOD);
                }
                clock.sleep(Duration.between(clock.steady(), next));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (thread != null) {
            thread.interrupt();
        }
    }
}

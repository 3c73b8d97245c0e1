package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.IpAddress;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellCid;
import dev.berth.model.Subnet;
import dev.berth.model.VmCid;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.wire.ApplySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is done with spare VMs, each act with its intent before it. Only what the store says to be a
 * pool's is ever touched, and it is asked in the transaction that begins the act.
 */
final class SpareActs {
    static final String CREATE = "create spare";
    static final String DELETE = "delete spare";

    /** By which the cloud knows a spare VM; one of an instance has {@code id} as well. */
    static final String LABEL = "vm_pool";

    private static final Duration PULL = Duration.ofMinutes(10);
    private static final Duration QUESTION = Duration.ofSeconds(1);
    private static final int QUESTIONS = 3;
    private static final int ADDRESS_TRIES = 5;

    private final Hands hands;
    private final TaskContext task;

    SpareActs(Hands hands, TaskContext task) {
        this.hands = hands;
        this.task = task;
    }

    /** Thrown in a transaction: somebody else was faster. */
    private static final class NotOurs extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    // --- making

    /** Returns it when its agent answers. */
    Rows.Spare make(PoolWish wish) throws InterruptedException {
        AgentId agent = hands.newAgentId();
        for (int left = ADDRESS_TRIES; ; left--) {
            String address = freeAddress(wish);
            Map<String, Object> networks =
                    Json.of(
                            wish.network().name(),
                            wish.network()
                                    .settings(IpAddress.parse(address), List.of("dns", "gateway")));
            try {
                return greet(make(wish, agent, address, wish.withNetworks(networks)));
            } catch (NotOurs e) {
                if (left == 0) {
                    throw noAddress(wish);
                }
            }
        }
    }

    private String freeAddress(PoolWish wish) {
        Set<String> taken =
                hands.store().read(s -> s.ips()).stream()
                        .map(Rows.Ip::address)
                        .collect(Collectors.toSet());
        for (Subnet subnet : wish.network().subnetsFor(wish.az())) {
            var free = subnet.firstFree(address -> taken.contains(address.toString()));
            if (free.isPresent()) {
                return free.get().toString();
            }
        }
        throw noAddress(wish);
    }

    private static ProblemException noAddress(PoolWish wish) {
        return new ProblemException(
                130010,
                "vm pool '"
                        + wish.name()
                        + "': network '"
                        + wish.network().name()
                        + "' has no free address for a spare VM; make it larger, or the pool"
                        + " smaller");
    }

    private Rows.Spare make(PoolWish wish, AgentId agent, String address, Step.VmShape shape) {
        var row =
                new Rows.Spare(
                        agent,
                        null,
                        wish.name(),
                        Rows.Spare.MAKING,
                        wish.tree(shape),
                        "",
                        hands.clock().now());
        IntentId intent =
                begin(
                        CREATE,
                        Json.of("agent", agent.value(), "pool", wish.name()),
                        session -> {
                            session.saveSpare(row);
                            if (!session.reserveSpareIp(agent, wish.network().name(), address)) {
                                throw new NotOurs();
                            }
                        });
        try {
            VmCid cid =
                    hands.cpi()
                            .createVm(
                                    hands.context(intent, shape.stemcellApiVersion()),
                                    agent,
                                    new StemcellCid(shape.stemcellCid()),
                                    shape.cloudProperties(),
                                    shape.networks(),
                                    List.of(),
                                    VmEnv.ofSpare(hands, shape.env(), hands.door().admit(agent)));
            hands.journal().end(intent, Journal.DONE, s -> s.saveSpare(row.made(cid)));
            return row.made(cid);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.UNKNOWN) {
                throw e; // the intent stays open: it is settled by looking
            }
            hands.door().expel(agent);
            hands.journal().end(intent, "failed: " + e.getMessage(), s -> s.deleteSpare(agent));
            throw e;
        }
    }

    /** Its agent answers, and the cloud knows what it is: from here on it may be taken. */
    Rows.Spare greet(Rows.Spare spare) throws InterruptedException {
        VmCid cid = Objects.requireNonNull(spare.cid());
        label(spare, cid);
        Instant giveUp = hands.clock().steady().plus(hands.patience().agentWait());
        while (!answers(spare.agent(), Duration.ofMillis(250))) {
            task.checkCancelled();
            boolean gone = evidence(cid) == VmEvidence.GONE;
            if (gone || hands.clock().steady().isAfter(giveUp)) {
                delete(spare, gone ? "it vanished" : "its agent never answered");
                throw new ProblemException(
                        450002,
                        "spare VM '"
                                + cid
                                + "' of vm pool '"
                                + spare.pool()
                                + (gone
                                        ? "' vanished while its agent was awaited"
                                        : "': its agent never answered; the VM was deleted again"));
            }
        }
        hands.store()
                .update(s ->
                        s.spare(spare.agent())
                                .filter(row -> row.is(Rows.Spare.BOOTING))
                                .ifPresent(row -> s.saveSpare(row.in(Rows.Spare.READY))));
        return spare.in(Rows.Spare.READY);
    }

    private void label(Rows.Spare spare, VmCid cid) {
        try {
            hands.cpi().setVmMetadata(hands.looking(), cid, labels(spare));
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED
                    && e.type() != CpiException.Type.VM_NOT_FOUND) {
                throw e;
            }
        }
    }

    /** What a lost store knows it by, and what then has to be kept free for it. */
    private Map<String, String> labels(Rows.Spare spare) {
        var labels =
                new LinkedHashMap<>(
                        Map.of(
                                "director",
                                hands.directorName(),
                                LABEL,
                                spare.pool(),
                                "created_at",
                                spare.createdAt().truncatedTo(ChronoUnit.SECONDS).toString()));
        var addresses = new LinkedHashMap<String, String>();
        Fields.of(spare.shape(), "shape")
                .object("networks")
                .tree()
                .forEach((name, settings) ->
                        addresses.put(name, Fields.of(settings, "network").string("ip", "")));
        labels.putAll(Diagnosis.places(null, addresses));
        return labels;
    }

    /** Has it fetch what those who may take it run. What it cannot fetch, they will. */
    void tell(Rows.Spare spare, List<ContainerSpec> containers, String digest) {
        if (!containers.isEmpty()) {
            var wish =
                    new ApplySpec(
                            "",
                            "",
                            new InstanceId(spare.agent().value()),
                            0,
                            null,
                            Map.of(),
                            containers,
                            "",
                            0,
                            DaemonSettings.NONE);
            try {
                hands.agents()
                        .call(
                                spare.agent(),
                                "prepare",
                                List.of(wish.toTree()),
                                PULL,
                                task::cancelled);
            } catch (AgentException e) {
                task.checkCancelled();
                task.log()
                        .warning(
                                "spare VM "
                                        + spare.cid()
                                        + " does not have all images yet: "
                                        + e.getMessage());
            }
        }
        hands.store()
                .update(s ->
                        s.spare(spare.agent())
                                .filter(row -> row.is(Rows.Spare.READY))
                                .ifPresent(row -> s.saveSpare(row.having(digest))));
    }

    // --- looking

    /** One that nobody hears: it goes unless it answers after all. */
    void ask(Rows.Spare spare) throws InterruptedException {
        VmEvidence evidence = evidence(Objects.requireNonNull(spare.cid()));
        if (evidence == VmEvidence.GONE || evidence == VmEvidence.STOPPED) {
            delete(spare, evidence == VmEvidence.GONE ? "it is gone" : "it is switched off");
            return;
        }
        for (int i = 0; i < QUESTIONS; i++) {
            task.checkCancelled();
            if (answers(spare.agent(), QUESTION)) {
                return;
            }
        }
        delete(spare, "its agent is silent");
    }

    private VmEvidence evidence(VmCid cid) {
        try {
            return hands.cpi().vmEvidence(hands.looking(), cid);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return VmEvidence.PRESENT;
            }
            throw e;
        }
    }

    private boolean answers(AgentId agent, Duration limit) {
        try {
            return "pong".equals(hands.agents().call(agent, "ping", List.of(), limit));
        } catch (AgentException e) {
            return false;
        }
    }

    // --- ending

    /**
     * Nothing happens when an instance has taken it meanwhile. Rule R3's care: what has a disk is
     * no spare VM, whatever the store says, and stays.
     */
    void delete(Rows.Spare spare, String why) throws InterruptedException {
        VmCid cid = Objects.requireNonNull(spare.cid());
        IntentId intent;
        try {
            intent =
                    begin(
                            DELETE,
                            Json.of("agent", spare.agent().value(), "vm", cid.value()),
                            session -> leave(session, spare.agent()));
        } catch (NotOurs e) {
            return;
        }
        task.log().debug("spare VM " + cid + " of pool '" + spare.pool() + "' goes: " + why);
        List<DiskCid> disks = disks(intent, cid);
        if (!disks.isEmpty()) {
            throw failed(
                    intent, cid, "it has " + disks + ", so that it is no spare VM: look whose");
        }
        try {
            hands.cpi().deleteVm(hands.context(intent, null), cid);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.UNKNOWN) {
                throw e;
            }
            if (e.type() != CpiException.Type.VM_NOT_FOUND) {
                throw failed(intent, cid, String.valueOf(e.getMessage()));
            }
        }
        if (!VmActs.isGone(hands, task, cid)) {
            throw failed(intent, cid, "the cloud still has it");
        }
        hands.journal().end(intent, Journal.DONE, s -> s.deleteSpare(spare.agent()));
        hands.door().expel(spare.agent());
    }

    private static void leave(StoreSession session, AgentId agent) {
        Rows.Spare row = session.spare(agent).orElseThrow(NotOurs::new);
        if (row.is(Rows.Spare.TAKEN) || session.vm(agent).isPresent()) {
            throw new NotOurs();
        }
        session.saveSpare(row.in(Rows.Spare.LEAVING));
    }

    private CpiException failed(IntentId intent, VmCid cid, String why) {
        hands.journal().end(intent, "failed: " + why, s -> {});
        return new CpiException(
                CpiException.Type.CLOUD_ERROR, "spare VM " + cid + " cannot be deleted: " + why);
    }

    private List<DiskCid> disks(IntentId intent, VmCid cid) {
        try {
            return hands.cpi().getDisks(hands.looking(), cid);
        } catch (CpiException e) {
            return switch (e.type()) {
                case VM_NOT_FOUND, NOT_IMPLEMENTED -> List.of();
                default -> {
                    hands.journal().end(intent, "failed: " + e.getMessage(), s -> {});
                    throw e;
                }
            };
        }
    }

    private IntentId begin(
            String kind,
            Map<String, Object> payload,
            java.util.function.Consumer<StoreSession> claim) {
        return hands.journal().begin(task.id(), null, kind, payload, claim);
    }
}

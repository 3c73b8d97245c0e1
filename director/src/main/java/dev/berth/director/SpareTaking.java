package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Makes a spare VM an instance's: in one transaction it leaves its pool and has an owner, and only
 * then is anything done to it. A director killed in between leaves a VM that was never welcomed,
 * which the next plan replaces as any other.
 */
final class SpareTaking {
    static final String TAKE = "take spare";

    /** A pool that is ill must not keep an instance from getting a VM of its own. */
    private static final int MOST_TRIES = 2;

    private static final Duration QUESTION = Duration.ofMillis(500);

    /** It answered a moment ago, and finds back in well under a second. */
    private static final Duration MOVING = Duration.ofSeconds(15);

    private final InstanceContext on;
    private final Hands hands;
    private final VmActs vm;

    SpareTaking(InstanceContext on, VmActs vm) {
        this.on = on;
        this.hands = on.hands();
        this.vm = vm;
    }

    /** Thrown in the transaction: another instance, or the pool, was faster. */
    private static final class Gone extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** False: there is none that fits, or none that is any good; a VM has to be made. */
    boolean take(Step.VmShape shape) throws InterruptedException {
        List<Rows.Spare> fitting =
                hands.store().read(StoreSession::spares).stream()
                        .filter(s -> s.is(Rows.Spare.READY))
                        .filter(s -> PoolWish.serves(s, shape, on.plan().az()))
                        .sorted(Comparator.comparing((Rows.Spare s) -> s.images().isEmpty()))
                        .toList();
        if (fitting.isEmpty() || !hands.cpi().readdressesVms()) {
            return false;
        }
        int tries = 0;
        for (Rows.Spare spare : fitting) {
            on.task().checkCancelled();
            if (tries == MOST_TRIES) {
                return false;
            }
            if (answers(spare, QUESTION)) {
                Optional<IntentId> intent = claim(spare, shape);
                if (intent.isPresent()) {
                    tries++;
                    if (moved(spare, shape, intent.get())) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private Optional<IntentId> claim(Rows.Spare spare, Step.VmShape shape) {
        VmCid cid = Objects.requireNonNull(spare.cid());
        var row =
                new Rows.Vm(
                        spare.agent(),
                        cid,
                        on.plan().id(),
                        shape.cpi(),
                        VmActs.shapeTree(shape, false),
                        true,
                        false,
                        spare.createdAt());
        try {
            return Optional.of(
                    on.begin(
                            TAKE,
                            Json.of(
                                    "agent",
                                    spare.agent().value(),
                                    "vm",
                                    cid.value(),
                                    "pool",
                                    spare.pool()),
                            session -> {
                                Rows.Spare now =
                                        session.spare(spare.agent()).orElseThrow(Gone::new);
                                if (!now.is(Rows.Spare.READY)) {
                                    throw new Gone();
                                }
                                session.saveSpare(now.in(Rows.Spare.TAKEN));
                                session.saveVm(row);
                            }));
        } catch (Gone e) {
            return Optional.empty();
        }
    }

    private boolean moved(Rows.Spare spare, Step.VmShape shape, IntentId intent)
            throws InterruptedException {
        VmCid cid = Objects.requireNonNull(spare.cid());
        String why;
        try {
            expect(spare, shape);
            hands.cpi().configureNetworks(hands.context(intent, null), cid, shape.networks());
            why = awaited(spare) ? "" : "its agent did not come back with its new address";
        } catch (CpiException e) {
            why = String.valueOf(e.getMessage());
        }
        if (why.isEmpty()) {
            on.end(intent, Journal.DONE, s -> s.deleteSpare(spare.agent()));
            on.task()
                    .log()
                    .debug(
                            "instance="
                                    + on.plan().name()
                                    + " vm="
                                    + cid
                                    + " taken from pool '"
                                    + spare.pool()
                                    + "'");
            return true;
        }
        on.end(intent, "failed: " + why, s -> {});
        on.task()
                .log()
                .warning(
                        "spare VM "
                                + cid
                                + " of pool '"
                                + spare.pool()
                                + "' cannot be taken ("
                                + why
                                + "); it is deleted");
        vm.deleteVm(cid); // its row as a spare, and with it its address, goes with it
        return false;
    }

    /** An agent that does not know the word notices by itself, later. */
    private void expect(Rows.Spare spare, Step.VmShape shape) {
        for (String address : shape.addresses().stream().limit(1).toList()) {
            try {
                hands.agents()
                        .call(
                                spare.agent(),
                                "expect_address",
                                List.of(address),
                                Duration.ofSeconds(2));
            } catch (AgentException e) {
                on.task().log().debug("expect_address: " + e.getMessage());
            }
        }
    }

    private boolean awaited(Rows.Spare spare) {
        Instant giveUp = hands.clock().steady().plus(MOVING);
        while (!answers(spare, Duration.ofMillis(250))) {
            on.task().checkCancelled();
            if (!hands.clock().steady().isBefore(giveUp)) {
                return false;
            }
        }
        return true;
    }

    private boolean answers(Rows.Spare spare, Duration limit) {
        try {
            return "pong".equals(hands.agents().call(spare.agent(), "ping", List.of(), limit));
        } catch (AgentException e) {
            return false;
        }
    }
}

package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is done with the VM of one instance. */
final class VmActs {
    /** For clouds that answer before a VM has ended; most need none of it. */
    private static final Duration GOING = Duration.ofSeconds(60);

    private final InstanceContext on;
    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final InstancePlan plan;

    VmActs(InstanceContext on) {
        this.on = on;
        this.hands = on.hands();
        this.scope = on.scope();
        this.task = on.task();
        this.plan = on.plan();
    }

    /** A spare VM that fits is one that has booted already. */
    void createVm(Step.VmShape shape) throws InterruptedException {
        if (new SpareTaking(on, this).take(shape)) {
            return;
        }
        // Five tries as BOSH, and only where the CPI says that trying again makes sense.
        for (int attempt = 1; ; attempt++) {
            try {
                createVmOnce(shape);
                return;
            } catch (CpiException e) {
                boolean again =
                        e.type() == CpiException.Type.VM_CREATION_FAILED
                                && e.okToRetry()
                                && attempt < 5;
                if (!again) {
                    throw e;
                }
                task.log().debug("create vm failed, trying again: " + e.getMessage());
                task.checkCancelled();
            }
        }
    }

    private void createVmOnce(Step.VmShape shape) {
        AgentId agent = hands.newAgentId();
        Map<String, Object> recorded = shapeTree(shape, false);
        IntentId intent =
                on.begin(
                        "create vm",
                        Json.of("agent", agent.value(), "shape", recorded),
                        session -> {});
        try {
            var certificate = hands.door().admit(agent);
            VmCid cid =
                    hands.cpi()
                            .createVm(
                                    hands.context(intent, shape.stemcellApiVersion()),
                                    agent,
                                    new StemcellCid(shape.stemcellCid()),
                                    shape.cloudProperties(),
                                    shape.networks(),
                                    List.of(),
                                    VmEnv.of(hands, scope, plan.group(), certificate));
            on.end(
                    intent,
                    Journal.DONE,
                    s ->
                            s.saveVm(
                                    new Rows.Vm(
                                            agent,
                                            cid,
                                            plan.id(),
                                            shape.cpi(),
                                            recorded,
                                            true,
                                            false,
                                            hands.clock().now())));
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.UNKNOWN) {
                throw e; // the intent stays open: it is settled by looking
            }
            hands.door().expel(agent);
            on.end(intent, "failed: " + e.getMessage(), session -> {});
            throw e;
        }
    }

    static Map<String, Object> shapeTree(Step.VmShape shape, boolean welcomed) {
        int slash = shape.stemcell().lastIndexOf('/');
        Map<String, Object> stemcell =
                Json.of(
                        "name",
                        shape.stemcell().substring(0, Math.max(0, slash)),
                        "version",
                        shape.stemcell().substring(slash + 1),
                        "api_version",
                        shape.stemcellApiVersion());
        return Json.of(
                "cpi",
                shape.cpi(),
                "stemcell",
                stemcell,
                "stemcell_cid",
                shape.stemcellCid(),
                "cloud_properties",
                shape.cloudProperties(),
                "env",
                shape.env(),
                "networks",
                shape.networks(),
                "welcomed",
                welcomed);
    }

    /** Waits for the agent, tells it the settings that always replace, and who it is. */
    void welcomeAgent() throws InterruptedException {
        Rows.Vm vm = on.vm();
        setMetadata(vm.cid());
        if (!agentAnswers(vm)) {
            throw discarded(vm);
        }
        on.call(
                vm,
                "update_settings",
                List.of(Json.of("trusted_certs", "", "disk_associations", List.of())),
                hands.patience().agentWait());
        on.call(vm, "apply", List.of(scope.identity(plan).toTree()), hands.patience().agentCall());
        var shape = new LinkedHashMap<>(vm.shape());
        shape.put("welcomed", true);
        hands.store().update(s -> s.saveVm(vm.ofShape(shape)));
    }

    /** A new VM that never spoke holds nothing: it goes again, and the next try begins afresh. */
    private ProblemException discarded(Rows.Vm vm) throws InterruptedException {
        try {
            deleteVm(vm.cid());
        } catch (CpiException e) {
            return silent(
                    vm,
                    "; it cannot be deleted: " + e.getMessage(),
                    "deploy again with --fix to replace it");
        }
        Fields stemcell = Fields.of(vm.shape(), "shape").object("stemcell");
        return silent(
                vm,
                "; it was deleted again",
                "see whether the agent of stemcell '"
                        + stemcell.string("name", "")
                        + "/"
                        + stemcell.string("version", "")
                        + "' starts and reaches the bus, then deploy again");
    }

    private ProblemException silent(Rows.Vm vm, String more, String remedy) {
        return silent(vm, hands.patience().agentWait(), more, remedy);
    }

    private ProblemException silent(Rows.Vm vm, Duration waited, String more, String remedy) {
        String what =
                "Timed out pinging VM '"
                        + vm.cid()
                        + "' with agent '"
                        + vm.agent()
                        + "' after "
                        + waited.toSeconds()
                        + " seconds";
        return new ProblemException(List.of(new Problem(450002, plan.text(), what + more, remedy)));
    }

    /** False: it did not within the time that an agent gets. */
    private boolean agentAnswers(Rows.Vm vm) throws InterruptedException {
        return agentAnswers(vm, hands.patience().agentWait());
    }

    private boolean agentAnswers(Rows.Vm vm, Duration patience) throws InterruptedException {
        Instant giveUp = hands.clock().steady().plus(patience);
        while (true) {
            task.checkCancelled();
            try {
                // A ping sent before the agent has subscribed is lost, so ask briefly and often.
                if ("pong"
                        .equals(
                                hands.agents()
                                        .call(
                                                vm.agent(),
                                                "ping",
                                                List.of(),
                                                Duration.ofMillis(250)))) {
                    return true;
                }
            } catch (AgentException e) {
                if (hands.clock().steady().isAfter(giveUp)) {
                    return false;
                }
                if (e.kind() == AgentException.Kind.TIMEOUT
                        && hands.cpi().vmEvidence(hands.looking(), vm.cid())
                                == dev.berth.cpi.Cpi.VmEvidence.GONE) {
                    throw new ProblemException(
                            450002,
                            "VM '"
                                    + vm.cid()
                                    + "' of "
                                    + plan.text()
                                    + " vanished while its agent was awaited");
                }
            }
        }
    }

    void deleteVm(VmCid cid) throws InterruptedException {
        Optional<Rows.Vm> row = on.vms().stream().filter(v -> v.cid().equals(cid)).findFirst();
        IntentId intent = on.begin("delete vm", Json.of("vm", cid.value()), session -> {});
        try {
            hands.cpi().deleteVm(hands.context(intent, null), cid);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.VM_NOT_FOUND) {
                on.endUnlessUnknown(intent, e);
                throw e;
            }
        }
        // A look that fails leaves the intent open, and the disks held: it is settled by looking.
        if (!isGone(hands, task, cid)) {
            String why =
                    "delete_vm was answered for VM "
                            + cid
                            + " of "
                            + plan.text()
                            + ", and the cloud still has it after "
                            + GOING.toSeconds()
                            + " s: its disks stay with it (R1); see in the cloud what holds it,"
                            + " then run this again";
            on.end(intent, "failed: " + why, session -> {});
            throw new CpiException(CpiException.Type.CLOUD_ERROR, why);
        }
        on.end(
                intent,
                Journal.DONE,
                session -> {
                    freeDisksOf(session, cid);
                    row.ifPresent(v -> forget(session, v.agent()));
                });
        row.ifPresent(v -> hands.door().expel(v.agent()));
    }

    /**
     * An answer is a claim; where a disk goes by it, the cloud is asked what there is (rule R1).
     */
    static boolean isGone(Hands hands, TaskContext task, VmCid cid) throws InterruptedException {
        Instant giveUp = hands.clock().steady().plus(GOING);
        while (hands.cpi().hasVm(hands.looking(), cid)) {
            if (!hands.clock().steady().isBefore(giveUp)) {
                return false;
            }
            task.checkCancelled();
            hands.clock().sleep(Duration.ofSeconds(1));
        }
        return true;
    }

    /** With the address it had as a spare, if it was one that never came to be an instance's. */
    static void forget(StoreSession session, AgentId agent) {
        session.deleteVm(agent);
        session.deleteSpare(agent);
    }

    /** The VM is proven gone, and with it every mount it had: its disks are free (rule R1). */
    static void freeDisksOf(StoreSession session, VmCid gone) {
        for (Rows.Disk disk : session.disksOf(null)) {
            if (gone.equals(disk.attachedTo())) {
                session.saveDisk(disk.heldBy(null));
            }
        }
    }

    /** One that was on is rebooted, as a step before its replacement: it gets less time. */
    void startVm(VmCid cid) throws InterruptedException {
        boolean off = isOff(cid);
        IntentId intent = on.begin("start vm", Json.of("vm", cid.value()), session -> {});
        try {
            hands.cpi().rebootVm(hands.context(intent, null), cid);
        } catch (CpiException e) {
            on.endUnlessUnknown(intent, e);
            throw e;
        }
        on.end(intent, Journal.DONE, session -> {});
        Rows.Vm vm = on.vm();
        Duration patience = off ? hands.patience().agentWait() : hands.patience().reboot();
        if (!agentAnswers(vm, patience)) {
            throw silent(
                    vm,
                    patience,
                    off ? " though it was started" : " though it was rebooted",
                    "look at the VM's console; deploy again with --fix to replace it");
        }
    }

    private boolean isOff(VmCid cid) {
        try {
            return hands.cpi().vmEvidence(hands.looking(), cid)
                    == dev.berth.cpi.Cpi.VmEvidence.STOPPED;
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return false;
            }
            throw e;
        }
    }

    void setMetadata(VmCid cid) {
        var metadata = new LinkedHashMap<>(scope.tags());
        metadata.putAll(
                Map.of(
                        "director",
                        hands.directorName(),
                        "deployment",
                        scope.deployment(),
                        "id",
                        plan.id().value(),
                        "job",
                        plan.group(),
                        "instance_group",
                        plan.group(),
                        "index",
                        String.valueOf(plan.index()),
                        "name",
                        plan.name()));
        // What a lost store is rebuilt from where no agent answers.
        metadata.putAll(Diagnosis.places(plan.az(), plan.addresses()));
        metadata.put(
                "created_at",
                hands.clock().now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString());
        try {
            hands.cpi().setVmMetadata(hands.looking(), cid, metadata);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
        }
    }
}

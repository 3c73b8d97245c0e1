package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.wire.AgentState;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the steps of one instance, in order, each with its intent written before the act. Not
 * thread-safe; one run per instance at a time, which the deployment's lock guarantees.
 */
final class InstanceRun {
    private final Hands hands;
    private final DeployScope scope;
    private final TaskContext task;
    private final InstancePlan plan;
    private final Plan.WatchTime watch;

    InstanceRun(
            Hands hands,
            DeployScope scope,
            TaskContext task,
            InstancePlan plan,
            Plan.WatchTime watch) {
        this.hands = hands;
        this.scope = scope;
        this.task = task;
        this.plan = plan;
        this.watch = watch;
    }

    void run(List<Step> steps, TaskLog.StepLog log) throws InterruptedException {
        int done = 0;
        for (Step step : steps) {
            task.checkCancelled();
            log.progress(100 * done++ / steps.size(), status(step));
            task.log()
                    .debug(
                            "instance="
                                    + plan.group()
                                    + "/"
                                    + plan.id()
                                    + " step='"
                                    + step.verb()
                                    + "' reason='"
                                    + reasons()
                                    + "'");
            run(step);
        }
    }

    /** What operators of BOSH know these moments as, where BOSH has a name for them. */
    private static String status(Step step) {
        return switch (step) {
            case Step.Prepare s -> "installing packages";
            case Step.StopContainers s -> "stopping jobs";
            case Step.Apply s -> "configuring jobs";
            case Step.StartContainers s -> "starting jobs";
            case Step.AwaitRunning s -> "waiting for containers";
            case Step.WelcomeAgent s -> "waiting for agent";
            case Step.GrowDisk s -> "growing disk";
            case Step.CreateVm s -> "creating vm";
            case Step.DeleteVm s -> "deleting vm";
            default -> step.verb();
        };
    }

    private void run(Step step) throws InterruptedException {
        switch (step) {
            case Step.CreateVm s -> createVm(s.shape());
            case Step.WelcomeAgent s -> welcomeAgent();
            case Step.CreateDisk s -> createDisk(s);
            case Step.AttachDisk s -> attachDisk();
            case Step.MountDisk s ->
                    agentAct(
                            "mount disk",
                            "mount_disk",
                            List.of(disk().cid().value()),
                            hands.patience().longCall());
            case Step.GrowDisk s -> growDisk(s);
            case Step.UnmountDisk s -> unmountDisk(s.disk());
            case Step.DetachDisk s -> detachDisk(s.vm(), s.disk());
            case Step.OrphanDisk s -> orphanDisk(s.disk());
            case Step.Prepare s ->
                    agentAct(
                            "prepare",
                            "prepare",
                            List.of(scope.full(plan).toTree()),
                            hands.patience().longCall());
            case Step.StopContainers s -> stopContainers(s.leaving());
            case Step.Apply s -> apply();
            case Step.StartContainers s -> startContainers();
            case Step.AwaitRunning s -> awaitRunning();
            case Step.DeleteVm s -> deleteVm(s.vm());
            case Step.StartVm s -> startVm(s.vm());
            case Step.SetMetadata s -> setMetadata(s.vm());
            case Step.RecordState s -> recordState(s.state());
            case Step.RemoveInstance s ->
                    hands.store().update(session -> session.deleteInstance(plan.id()));
        }
    }

    // --- VMs

    private void createVm(Step.VmShape shape) throws InterruptedException {
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
                begin(
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
                                    vmEnv(certificate));
            end(
                    intent,
                    IntentJournal.DONE,
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
            end(intent, "failed: " + e.getMessage(), session -> {});
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

    /** The group's env with the director's additions; the group's own keys win, as in BOSH. */
    private Map<String, Object> vmEnv(dev.berth.wire.AgentSettings.Certificate certificate) {
        var env = new LinkedHashMap<>(scope.content(plan.group()).env());
        var bosh = new LinkedHashMap<>(hands.welcome().boshEnv());
        var mbus = new LinkedHashMap<>(Json.asObject(bosh.getOrDefault("mbus", Map.of())));
        mbus.put(
                "cert",
                Json.of(
                        "ca",
                        certificate.ca(),
                        "certificate",
                        certificate.certificate(),
                        "private_key",
                        certificate.privateKey()));
        if (env.get("bosh") instanceof Map<?, ?> own) {
            bosh.putAll(Json.asObject(own));
        }
        bosh.put("mbus", mbus);
        if (!scope.tags().isEmpty()) {
            bosh.put("tags", scope.tags());
        }
        String d = hands.directorName();
        String p = scope.deployment();
        String g = plan.group();
        bosh.put("group", canonical(d + "-" + p + "-" + g));
        bosh.put(
                "groups",
                List.of(
                        canonical(d),
                        canonical(p),
                        canonical(g),
                        canonical(d + "-" + p),
                        canonical(p + "-" + g),
                        canonical(d + "-" + p + "-" + g)));
        env.put("bosh", bosh);
        return env;
    }

    private static String canonical(String name) {
        return name.toLowerCase(java.util.Locale.ROOT)
                .replace('_', '-')
                .replaceAll("[^a-z0-9-]", "");
    }

    /** Waits for the agent, tells it the settings that always replace, and who it is. */
    private void welcomeAgent() throws InterruptedException {
        Rows.Vm vm = vm();
        setMetadata(vm.cid());
        awaitAgent(vm);
        call(
                vm,
                "update_settings",
                List.of(Json.of("trusted_certs", "", "disk_associations", List.of())),
                hands.patience().agentWait());
        call(vm, "apply", List.of(scope.identity(plan).toTree()), hands.patience().agentCall());
        var shape = new LinkedHashMap<>(vm.shape());
        shape.put("welcomed", true);
        hands.store()
                .update(s ->
                        s.saveVm(
                                new Rows.Vm(
                                        vm.agent(),
                                        vm.cid(),
                                        vm.instance(),
                                        vm.cpi(),
                                        shape,
                                        vm.active(),
                                        vm.permanentCredentials(),
                                        vm.createdAt())));
    }

    private void awaitAgent(Rows.Vm vm) throws InterruptedException {
        Instant giveUp = hands.clock().now().plus(hands.patience().agentWait());
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
                    return;
                }
            } catch (AgentException e) {
                if (hands.clock().now().isAfter(giveUp)) {
                    throw new ProblemException(
                            List.of(
                                    new Problem(
                                            450002,
                                            plan.text(),
                                            "Timed out pinging VM '"
                                                    + vm.cid()
                                                    + "' with agent '"
                                                    + vm.agent()
                                                    + "' after "
                                                    + hands.patience().agentWait().toSeconds()
                                                    + " seconds",
                                            "look at the VM's console; deploy again with --fix to replace it")));
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

    private void deleteVm(VmCid cid) {
        Optional<Rows.Vm> row = vms().stream().filter(v -> v.cid().equals(cid)).findFirst();
        IntentId intent = begin("delete vm", Json.of("vm", cid.value()), session -> {});
        try {
            hands.cpi().deleteVm(hands.context(intent, null), cid);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.VM_NOT_FOUND) {
                endUnlessUnknown(intent, e);
                throw e;
            }
        }
        end(
                intent,
                IntentJournal.DONE,
                session -> {
                    freeDisksOf(session, cid);
                    row.ifPresent(v -> session.deleteVm(v.agent()));
                });
        row.ifPresent(v -> hands.door().expel(v.agent()));
    }

    /** The VM is proven gone, and with it every mount it had: its disks are free (rule R1). */
    static void freeDisksOf(StoreSession session, VmCid gone) {
        for (Rows.Disk disk : session.disksOf(null)) {
            if (gone.equals(disk.attachedTo())) {
                session.saveDisk(attachedTo(disk, null));
            }
        }
    }

    private void startVm(VmCid cid) throws InterruptedException {
        IntentId intent = begin("start vm", Json.of("vm", cid.value()), session -> {});
        try {
            hands.cpi().rebootVm(hands.context(intent, null), cid);
        } catch (CpiException e) {
            endUnlessUnknown(intent, e);
            throw e;
        }
        end(intent, IntentJournal.DONE, session -> {});
        awaitAgent(vm());
    }

    private void setMetadata(VmCid cid) {
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
                        plan.group() + "/" + plan.id()));
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

    // --- disks

    private void createDisk(Step.CreateDisk step) {
        IntentId intent =
                begin(
                        "create disk",
                        Json.of(
                                "size_mb",
                                step.sizeMb(),
                                "cloud_properties",
                                step.cloudProperties(),
                                "type",
                                step.type()),
                        s -> {});
        try {
            VmCid near =
                    vms().stream()
                            .filter(Rows.Vm::active)
                            .map(Rows.Vm::cid)
                            .findFirst()
                            .orElse(null);
            DiskCid cid =
                    hands.cpi()
                            .createDisk(
                                    hands.context(intent, null),
                                    step.sizeMb(),
                                    step.cloudProperties(),
                                    near);
            end(
                    intent,
                    IntentJournal.DONE,
                    s ->
                            s.saveDisk(
                                    newDisk(
                                            cid,
                                            step.sizeMb(),
                                            step.cloudProperties(),
                                            step.type())));
        } catch (CpiException e) {
            endUnlessUnknown(intent, e);
            throw e;
        }
    }

    private Rows.Disk newDisk(
            DiskCid cid, long sizeMb, Map<String, Object> cloudProperties, String type) {
        return new Rows.Disk(
                cid,
                plan.id(),
                null,
                sizeMb,
                cloudProperties,
                type,
                true,
                null,
                scope.deployment(),
                plan.group() + "/" + plan.id(),
                plan.az(),
                "");
    }

    private void attachDisk() {
        Rows.Vm vm = vm();
        Rows.Disk disk = disk();
        VmCid holder = disk.attachedTo();
        if (holder != null && !holder.equals(vm.cid())) {
            throw new IllegalStateException(
                    "R1: disk "
                            + disk.cid()
                            + " is held by "
                            + holder
                            + " and must not go to "
                            + vm.cid());
        }
        // The claim is recorded before the call: from here on the disk counts as held, whatever
        // happens.
        IntentId intent =
                begin(
                        "attach disk",
                        Json.of("vm", vm.cid().value(), "disk", disk.cid().value()),
                        s -> s.saveDisk(attachedTo(disk, vm.cid())));
        Object hint;
        try {
            hint = hands.cpi().attachDisk(hands.context(intent, null), vm.cid(), disk.cid());
        } catch (CpiException e) {
            endUnlessUnknown(intent, e);
            throw e;
        }
        end(intent, IntentJournal.DONE, session -> {});
        call(
                vm,
                "add_persistent_disk",
                List.of(disk.cid().value(), hint),
                hands.patience().agentCall());
        try {
            hands.cpi()
                    .setDiskMetadata(
                            hands.looking(),
                            disk.cid(),
                            Map.of(
                                    "director",
                                    hands.directorName(),
                                    "deployment",
                                    scope.deployment(),
                                    "instance_id",
                                    plan.id().value(),
                                    "instance_group",
                                    plan.group(),
                                    "instance_index",
                                    String.valueOf(plan.index()),
                                    "attached_at",
                                    hands.clock().now().toString()));
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
        }
    }

    private void growDisk(Step.GrowDisk step) {
        Rows.Disk disk = disk();
        IntentId intent =
                begin(
                        "grow disk",
                        Json.of("disk", disk.cid().value(), "size_mb", step.sizeMb()),
                        session -> {});
        try {
            hands.cpi().resizeDisk(hands.context(intent, null), disk.cid(), step.sizeMb());
            if (step.attached()) {
                Object answer =
                        call(
                                vm(),
                                "grow_disk",
                                List.of(disk.cid().value()),
                                hands.patience().longCall());
                task.log().debug("disk=" + disk.cid() + " grown: " + Json.write(answer));
            }
        } catch (CpiException e) {
            endUnlessUnknown(intent, e);
            throw e;
        }
        // The size is recorded last: a crash before this makes the next plan grow again, a no-op
        // for what is grown already.
        end(
                intent,
                IntentJournal.DONE,
                s -> s.saveDisk(withSize(s.disk(disk.cid()).orElse(disk), step.sizeMb())));
    }

    private void unmountDisk(DiskCid disk) {
        Rows.Vm vm = vm();
        Object listed = call(vm, "list_disk", List.of(), hands.patience().agentCall());
        if (listed instanceof List<?> cids && cids.contains(disk.value())) {
            agentAct(
                    "unmount disk", "unmount_disk", List.of(disk.value()), hands.patience().stop());
        }
    }

    private void detachDisk(VmCid vm, DiskCid cid) {
        vms().stream()
                .filter(v -> v.cid().equals(vm))
                .findFirst()
                .ifPresent(v -> tolerantCall(v, "remove_persistent_disk", List.of(cid.value())));
        IntentId intent =
                begin("detach disk", Json.of("vm", vm.value(), "disk", cid.value()), session -> {});
        try {
            hands.cpi().detachDisk(hands.context(intent, null), vm, cid);
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.DISK_NOT_ATTACHED
                    && e.type() != CpiException.Type.VM_NOT_FOUND) {
                endUnlessUnknown(intent, e);
                throw e;
            }
        }
        end(
                intent,
                IntentJournal.DONE,
                session -> session.disk(cid).ifPresent(d -> session.saveDisk(attachedTo(d, null))));
    }

    private void orphanDisk(DiskCid cid) {
        hands.store()
                .update(session ->
                        session.disk(cid)
                                .ifPresent(d ->
                                        session.saveDisk(
                                                new Rows.Disk(
                                                        d.cid(),
                                                        null,
                                                        null,
                                                        d.sizeMb(),
                                                        d.cloudProperties(),
                                                        d.type(),
                                                        false,
                                                        hands.clock().now(),
                                                        d.deployment(),
                                                        d.instanceName(),
                                                        d.az(),
                                                        d.cpi()))));
    }

    static Rows.Disk attachedTo(Rows.Disk d, @Nullable VmCid vm) {
        return new Rows.Disk(
                d.cid(),
                d.instance(),
                vm,
                d.sizeMb(),
                d.cloudProperties(),
                d.type(),
                d.active(),
                d.orphanedAt(),
                d.deployment(),
                d.instanceName(),
                d.az(),
                d.cpi());
    }

    static Rows.Disk withSize(Rows.Disk d, long sizeMb) {
        return new Rows.Disk(
                d.cid(),
                d.instance(),
                d.attachedTo(),
                sizeMb,
                d.cloudProperties(),
                d.type(),
                d.active(),
                d.orphanedAt(),
                d.deployment(),
                d.instanceName(),
                d.az(),
                d.cpi());
    }

    // --- containers

    private void stopContainers(boolean leaving) {
        Rows.Vm vm = vm();
        String next = leaving ? "delete" : "keep";
        IntentId intent = begin("stop containers", Json.of("leaving", leaving), session -> {});
        Map<String, Object> env =
                Json.of(
                        "env",
                        Json.of(
                                "BOSH_VM_NEXT_STATE",
                                next,
                                "BOSH_INSTANCE_NEXT_STATE",
                                next,
                                "BOSH_DEPLOYMENT_NEXT_STATE",
                                "keep"));
        tolerantCall(vm, "run_script", List.of("pre-stop", env));
        call(vm, "drain", List.of("shutdown", scope.full(plan).toTree()), hands.patience().stop());
        call(vm, "stop", List.of(), hands.patience().stop());
        tolerantCall(vm, "run_script", List.of("post-stop", Json.of()));
        end(intent, IntentJournal.DONE, session -> {});
    }

    private void apply() {
        hands.store()
                .read(s -> s.instance(plan.id()))
                .ifPresent(i -> hands.store().update(s -> s.saveInstance(withCompleted(i, false))));
        agentAct("apply", "apply", List.of(scope.full(plan).toTree()), hands.patience().longCall());
    }

    private void startContainers() {
        tolerantCall(vm(), "run_script", List.of("pre-start", Json.of()));
        agentAct("start", "start", List.of(), hands.patience().agentCall());
    }

    private void awaitRunning() throws InterruptedException {
        hands.clock().sleep(Duration.ofMillis(watch.minMillis()));
        Instant giveUp =
                hands.clock().now().plusMillis(Math.max(0, watch.maxMillis() - watch.minMillis()));
        long pause = 20;
        while (true) {
            task.checkCancelled();
            AgentState state =
                    AgentState.fromTree(
                            call(vm(), "get_state", List.of(), hands.patience().agentCall()));
            if (state.jobState().equals("running")) {
                tolerantCall(vm(), "run_script", List.of("post-start", Json.of()));
                return;
            }
            if (!hands.clock().now().isBefore(giveUp)) {
                throw notRunning(state);
            }
            hands.clock().sleep(Duration.ofMillis(pause));
            pause = Math.min(1000, pause * 3 / 2);
        }
    }

    private ProblemException notRunning(AgentState state) {
        List<AgentState.ContainerState> failing =
                state.containers() == null
                        ? List.of()
                        : state.containers().stream()
                                .filter(c -> !c.state().equals("up") && !c.state().equals("done"))
                                .toList();
        String names =
                failing.stream()
                        .map(AgentState.ContainerState::name)
                        .collect(Collectors.joining(", "));
        String why =
                failing.stream()
                        .filter(c -> !c.reason().isEmpty())
                        .map(c -> c.name() + ": " + c.reason())
                        .collect(Collectors.joining("; "));
        return new ProblemException(
                List.of(
                        new Problem(
                                400007,
                                null,
                                "'"
                                        + plan.text()
                                        + "' is not running after update."
                                        + (names.isEmpty()
                                                ? ""
                                                : " Review logs for failed jobs: " + names),
                                why.isEmpty() ? null : why)));
    }

    /** The reached state; addresses of before are free only now that nothing uses them. */
    private void recordState(String state) {
        hands.store()
                .update(session -> {
                    session.instance(plan.id())
                            .ifPresent(i ->
                                    session.saveInstance(
                                            new Rows.Instance(
                                                    i.id(),
                                                    i.deployment(),
                                                    i.group(),
                                                    i.index(),
                                                    i.az(),
                                                    state,
                                                    plan.bootstrap(),
                                                    i.ignored(),
                                                    true,
                                                    scope.summary(plan),
                                                    i.createdAt())));
                    session.ips(plan.id()).stream()
                            .map(Rows.Ip::address)
                            .filter(a -> !plan.addresses().containsValue(a))
                            .forEach(session::releaseIp);
                });
    }

    static Rows.Instance withCompleted(Rows.Instance i, boolean completed) {
        return new Rows.Instance(
                i.id(),
                i.deployment(),
                i.group(),
                i.index(),
                i.az(),
                i.state(),
                i.bootstrap(),
                i.ignored(),
                completed,
                i.spec(),
                i.createdAt());
    }

    // --- shared

    /**
     * An agent act with its intent. The agent's acts are idempotent, so an open one is settled by
     * planning anew.
     */
    private void agentAct(String kind, String method, List<Object> arguments, Duration limit) {
        IntentId intent = begin(kind, Json.of(), session -> {});
        try {
            call(vm(), method, arguments, limit);
        } catch (AgentException e) {
            if (e.kind() != AgentException.Kind.TIMEOUT) {
                end(intent, "failed", session -> {});
            }
            throw e;
        }
        end(intent, IntentJournal.DONE, session -> {});
    }

    private @Nullable Object call(
            Rows.Vm vm, String method, List<Object> arguments, Duration limit) {
        try {
            return hands.agents().call(vm.agent(), method, arguments, limit, task::cancelled);
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.CANCELLED) {
                task.checkCancelled();
            }
            throw new AgentException(
                    e.kind(),
                    plan.group() + "/" + plan.id() + " (" + method + "): " + e.getMessage());
        }
    }

    /** For actions old agents lack. */
    private void tolerantCall(Rows.Vm vm, String method, List<Object> arguments) {
        try {
            call(vm, method, arguments, hands.patience().stop());
        } catch (AgentException e) {
            if (e.kind() != AgentException.Kind.UNKNOWN_METHOD) {
                throw e;
            }
        }
    }

    private IntentId begin(String kind, Map<String, Object> payload, Consumer<StoreSession> claim) {
        return hands.journal().begin(task.id(), plan.id(), kind, payload, claim);
    }

    private void end(IntentId intent, String outcome, Consumer<StoreSession> effect) {
        hands.journal().end(intent, outcome, effect);
    }

    private void endUnlessUnknown(IntentId intent, CpiException e) {
        if (e.type() != CpiException.Type.UNKNOWN) {
            end(intent, "failed: " + e.getMessage(), session -> {});
        }
    }

    private String reasons() {
        return plan.changes().stream().map(Plan.Change::reason).collect(Collectors.joining("; "));
    }

    private List<Rows.Vm> vms() {
        return hands.store().read(s -> s.vms(plan.id()));
    }

    private Rows.Vm vm() {
        return vms().stream()
                .filter(Rows.Vm::active)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(plan.text() + " has no VM"));
    }

    private Rows.Disk disk() {
        return hands.store().read(s -> s.disks(plan.id())).stream()
                .filter(Rows.Disk::active)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException(plan.text() + " has no persistent disk"));
    }
}

package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.planner.Desired;
import dev.berth.planner.Plan.InstancePlan;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a person does with single disks: gives one to an instance, or takes one away. Both hold the
 * deployment's lock, and may be begun again after a crash. Thread-safe.
 */
final class DiskJobs {
    private static final int NOT_THERE = 520001;
    private static final int NOT_FREE = 520002;
    private static final int NOT_NOW = 520003;

    private final Hands hands;
    private final DeploymentReader reader;

    DiskJobs(Hands hands, DeploymentReader reader) {
        this.hands = hands;
        this.reader = reader;
    }

    // --- attach

    /**
     * {@code attach_disk}: {@code deployment}, {@code group}, {@code instance}, {@code cid}, {@code
     * copy} (size and properties of the disk of before), {@code name}.
     */
    TaskJob attach(Map<String, Object> payload) {
        return task -> {
            Fields wish = Fields.of(payload, "payload");
            String deployment = wish.string("deployment");
            var cid = new DiskCid(wish.string("cid"));
            Rows.Instance instance = instance(wish);
            new Settlement(hands).settle(task.id(), deployment);
            String name = name(wish, cid, instance, task);
            checkFree(cid, instance);
            var on = context(task, instance);
            var disks = new DiskActs(on);
            String text = instance.group() + "/" + instance.id();
            TaskLog.Stage stage = task.log().stage("Attaching disk", List.of(), 1);
            stage.step(
                    cid + " to " + text,
                    step -> {
                        letGo(on, disks, name, cid);
                        hands.trail()
                                .around(
                                        task,
                                        new AuditTrail.Act(
                                                "attach", "disk", cid.value(), text, Map.of()),
                                        () -> {
                                            adopt(wish, cid, instance, name, task);
                                            return cid.value();
                                        });
                        mount(on, disks, name);
                    });
            return "attached disk '"
                    + cid
                    + "' to '"
                    + text
                    + "' in deployment '"
                    + deployment
                    + "'";
        };
    }

    private Rows.Instance instance(Fields wish) {
        String deployment = wish.string("deployment");
        String group = wish.string("group");
        String id = wish.string("instance");
        Rows.Instance instance =
                hands.store()
                        .read(s -> s.instance(new InstanceId(id)))
                        .filter(i -> i.deployment().equals(deployment) && i.group().equals(group))
                        .orElseThrow(() ->
                                problem(
                                        NOT_THERE,
                                        "Instance '"
                                                + group
                                                + "/"
                                                + id
                                                + "' not found in deployment '"
                                                + deployment
                                                + "'",
                                        "name it by its UUID, as 'berth instances' shows it"));
        String text = "Instance '" + group + "/" + id + "' in deployment '" + deployment + "' ";
        if (instance.ignored()) {
            throw problem(
                    NOT_NOW,
                    text
                            + "is in 'ignore' state. Attaching disks to ignored instances is not"
                            + " allowed.",
                    "unignore it first");
        }
        if (!List.of("stopped", "detached").contains(instance.state())) {
            throw problem(
                    NOT_NOW,
                    text + "must be in 'bosh stopped' state",
                    "berth stop " + group + "/" + id + ", then attach, then start");
        }
        return instance;
    }

    /**
     * The name the disk had, where the instance has a disk of that name; else as asked, or none.
     */
    private String name(Fields wish, DiskCid cid, Rows.Instance instance, TaskContext task) {
        List<String> names = wished(instance, task).stream().map(Desired.DiskWish::name).toList();
        String asked = wish.string("name", "");
        if (!asked.isEmpty() && !names.contains(asked)) {
            throw problem(
                    NOT_THERE,
                    "Instance group '" + instance.group() + "' has no disk '" + asked + "'",
                    "it has: " + String.join(", ", names));
        }
        return asked.isEmpty()
                ? hands.store()
                        .read(s -> s.disk(cid))
                        .map(Rows.Disk::name)
                        .filter(names::contains)
                        .orElse("")
                : asked;
    }

    private List<Desired.DiskWish> wished(Rows.Instance instance, TaskContext task) {
        return reader.readDeployed(instance.deployment(), task.log()).desired().groups().stream()
                .filter(g -> g.name().equals(instance.group()))
                .flatMap(g -> g.disks().stream())
                .toList();
    }

    private void checkFree(DiskCid cid, Rows.Instance instance) {
        Optional<Rows.Disk> row = hands.store().read(s -> s.disk(cid));
        if (row.isPresent()
                && row.get().orphanedAt() == null
                && !instance.id().equals(row.get().instance())) {
            throw problem(
                    NOT_FREE,
                    "Disk '"
                            + cid
                            + "' belongs to "
                            + row.get().instanceName()
                            + " of deployment '"
                            + row.get().deployment()
                            + "'",
                    "orphan it there first");
        }
        try {
            if (!hands.cpi().hasDisk(hands.looking(), cid)) {
                throw problem(NOT_FREE, "The cloud has no disk '" + cid + "'", null);
            }
        } catch (CpiException e) {
            if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                throw e;
            }
        }
    }

    private InstanceContext context(TaskContext task, Rows.Instance instance) {
        var plan =
                new InstancePlan(
                        instance.id(),
                        instance.group(),
                        instance.index(),
                        instance.az(),
                        instance.bootstrap(),
                        false,
                        instance.state(),
                        Map.of(),
                        Map.of(),
                        List.of(),
                        List.of(),
                        List.of());
        var scope = new DeployScope(instance.deployment(), Map.of(), Map.of());
        return new InstanceContext(hands, scope, task, plan);
    }

    /** The disk of before leaves its VM, if it has one. */
    private void letGo(InstanceContext on, DiskActs disks, String name, DiskCid but) {
        for (Rows.Disk disk : hands.store().read(s -> s.disks(on.plan().id()))) {
            var holder = disk.attachedTo();
            if (!disk.name().equals(name) || disk.cid().equals(but) || holder == null) {
                continue;
            }
            Optional<Rows.Vm> vm = runningVm(on);
            if (vm.isPresent() && vm.get().cid().equals(holder)) {
                disks.unmountDisk(disk.cid());
            }
            disks.detachDisk(holder, disk.cid());
        }
    }

    private Optional<Rows.Vm> runningVm(InstanceContext on) {
        return hands.store()
                .read(s -> s.activeVm(on.plan().id()))
                .filter(vm -> {
                    VmEvidence evidence = hands.cpi().vmEvidence(hands.looking(), vm.cid());
                    return evidence == VmEvidence.RUNNING || evidence == VmEvidence.PRESENT;
                });
    }

    /** The old one goes and the new one comes in one transaction. */
    private void adopt(
            Fields wish, DiskCid cid, Rows.Instance instance, String name, TaskContext task) {
        List<Desired.DiskWish> wished = wished(instance, task);
        long real = realSize(cid);
        hands.store()
                .update(session -> {
                    Optional<Rows.Disk> before = orphaned(session, instance.id(), name, cid);
                    Optional<Rows.Disk> known = session.disk(cid);
                    if (known.filter(d -> d.orphanedAt() == null).isEmpty()) {
                        Rows.Disk disk =
                                known.orElseGet(() ->
                                        unknown(
                                                cid,
                                                wish.flag("copy", false)
                                                        ? before.orElse(null)
                                                        : null,
                                                real));
                        session.saveDisk(given(disk, instance, name, wished));
                    }
                });
    }

    private Optional<Rows.Disk> orphaned(
            StoreSession session, InstanceId instance, String name, DiskCid but) {
        Optional<Rows.Disk> live = Optional.empty();
        for (Rows.Disk disk : session.disks(instance)) {
            if (disk.name().equals(name) && !disk.cid().equals(but)) {
                live = disk.active() ? Optional.of(disk) : live;
                session.saveDisk(disk.orphaned(hands.clock().now()));
            }
        }
        return live;
    }

    private Rows.Disk unknown(DiskCid cid, Rows.@Nullable Disk like, long realMb) {
        long size = realMb > 0 ? realMb : like == null ? 1 : like.sizeMb();
        return new Rows.Disk(
                cid,
                null,
                null,
                size,
                like == null ? Map.of() : like.cloudProperties(),
                like == null ? "" : like.type(),
                false,
                null,
                "",
                "",
                null,
                "");
    }

    private static Rows.Disk given(
            Rows.Disk disk, Rows.Instance to, String name, List<Desired.DiskWish> wished) {
        long manifestMb =
                wished.stream()
                        .filter(d -> d.name().equals(name))
                        .mapToLong(Desired.DiskWish::sizeMb)
                        .findFirst()
                        .orElse(0);
        return new Rows.Disk(
                disk.cid(),
                to.id(),
                null,
                disk.sizeMb(),
                disk.cloudProperties(),
                disk.type(),
                true,
                null,
                to.deployment(),
                to.group() + "/" + to.id(),
                to.az(),
                disk.cpi(),
                name,
                DiskRecords.revived(DiskRecords.given(disk.options(), manifestMb), true),
                null);
    }

    /** As the cloud has it, where it can say. */
    private long realSize(DiskCid cid) {
        try {
            return hands.cpi().inventory(hands.looking()).stream()
                    .filter(o -> o.kind() == CloudObject.Kind.DISK && o.cid().equals(cid.value()))
                    .mapToLong(CloudObject::sizeMb)
                    .findFirst()
                    .orElse(0);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return 0;
            }
            throw e;
        }
    }

    /** In a VM whose agent answers; otherwise the start of the instance will do it. */
    private void mount(InstanceContext on, DiskActs disks, String name) {
        if (runningVm(on).isEmpty()) {
            return;
        }
        Rows.Disk disk = on.disk(name);
        disks.attachDisk(disk);
        if (!DiskRecords.isRaw(disk)) {
            try {
                disks.mountDisk(name);
            } catch (AgentException e) {
                throw problem(
                        NOT_NOW,
                        "Disk '"
                                + disk.cid()
                                + "' is attached, and cannot be mounted: "
                                + e.getMessage(),
                        "attach the disk of before again, or another");
            }
        }
    }

    // --- orphan

    /** {@code orphan_disk}: {@code cid}. */
    TaskJob orphan(Map<String, Object> payload) {
        return task -> {
            var cid = new DiskCid(Fields.of(payload, "payload").string("cid"));
            task.log()
                    .stage("Orphan disk", List.of(), 1)
                    .step(cid.value(), step -> orphan(task, cid));
            return "disk " + cid + " orphaned";
        };
    }

    private void orphan(TaskContext task, DiskCid cid) {
        Optional<Rows.Disk> row = hands.store().read(s -> s.disk(cid));
        if (row.isEmpty() || row.get().orphanedAt() != null) {
            task.log()
                    .warning(
                            row.isEmpty()
                                    ? "Disk " + cid + " does not exist"
                                    : "Disk " + cid + " is an orphan already");
            return;
        }
        Rows.Disk disk = row.get();
        if (disk.attachedTo() != null) {
            throw problem(
                    NOT_NOW,
                    "Disk '"
                            + cid
                            + "' of "
                            + disk.instanceName()
                            + " is attached to VM '"
                            + disk.attachedTo()
                            + "'",
                    "berth stop --hard " + disk.instanceName() + " first");
        }
        hands.trail()
                .around(
                        task,
                        new AuditTrail.Act(
                                "orphan", "disk", cid.value(), disk.instanceName(), Map.of()),
                        () -> {
                            hands.store()
                                    .update(s -> s.saveDisk(disk.orphaned(hands.clock().now())));
                            return cid.value();
                        });
    }

    private static ProblemException problem(int code, String what, @Nullable String remedy) {
        return new ProblemException(List.of(new Problem(code, null, what, remedy)));
    }
}

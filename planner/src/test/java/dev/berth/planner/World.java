package dev.berth.planner;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.planner.Plan.InstancePlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A tiny cloud with agents and the director's records, in which steps can be carried out. It checks
 * at every step what must hold: one holder a disk (R1), no containers without their disk (R2), no
 * call to an agent that cannot answer.
 */
final class World {
    static final class Vm {
        boolean on = true;
        boolean silent;
        String hash = "";
        String jobState = "stopped";
        final Set<DiskCid> mounted = new HashSet<>();
    }

    static final class Disk {
        long sizeMb;
        @Nullable VmCid attachedTo;
        boolean orphan;
        @Nullable DiskCid copyOf;
    }

    final Map<InstanceId, Recorded.Instance> rows = new LinkedHashMap<>();
    final Map<VmCid, Vm> vms = new HashMap<>();
    final Map<DiskCid, Disk> disks = new HashMap<>();
    final Set<InstanceId> fulfilled = new HashSet<>();
    final Set<VmCid> leftovers = new HashSet<>();
    Map<String, String> tags = Map.of();
    boolean cannotResize;
    private final WorldCopies copies = new WorldCopies(this);
    private int serial;

    Recorded recorded() {
        var taken = new HashSet<String>();
        for (Recorded.Instance row : rows.values()) {
            for (String address : row.addresses().values()) {
                check(taken.add(address), "address given twice: " + address);
            }
            if (row.vm() != null) {
                taken.addAll(row.vm().shape().addresses());
            }
        }
        return new Recorded(List.copyOf(rows.values()), taken, tags);
    }

    Map<InstanceId, Observation> look() {
        var seen = new HashMap<InstanceId, Observation>();
        rows.values().stream()
                .filter(row -> row.vm() != null)
                .forEach(row -> seen.put(row.id(), look(row)));
        return seen;
    }

    private Observation look(Recorded.Instance row) {
        Vm vm = row.vm() == null ? null : vms.get(row.vm().cid());
        if (vm == null) {
            return new Observation.Gone();
        }
        if (!vm.on) {
            return new Observation.Stopped();
        }
        return vm.silent
                ? new Observation.Silent("a while ago")
                : new Observation.Answers(
                        vm.jobState, vm.hash, vm.mounted.stream().map(DiskCid::value).toList());
    }

    /** Carries out a plan up to that many steps in all; true when it was carried out whole. */
    boolean carryOut(Plan plan, Desired desired, int limit) {
        var work = new ArrayList<Runnable>();
        plan.unneeded().forEach(i -> add(work, i, i.steps(), desired));
        plan.batches().stream()
                .flatMap(List::stream)
                .flatMap(g -> g.instances().stream())
                .forEach(i -> add(work, i, i.creation(), desired));
        for (Plan.GroupPlan group : plan.batches().stream().flatMap(List::stream).toList()) {
            group.obsolete().forEach(i -> add(work, i, i.steps(), desired));
            group.waves().stream()
                    .flatMap(List::stream)
                    .forEach(i -> add(work, i, i.steps(), desired));
        }
        work.stream().limit(limit).forEach(Runnable::run);
        if (work.size() <= limit) {
            tags = desired.tags();
            return true;
        }
        return false;
    }

    private void add(List<Runnable> work, InstancePlan plan, List<Step> steps, Desired desired) {
        steps.stream()
                .flatMap(WorldCopies::parts)
                .forEach(step ->
                        work.add(() -> {
                            try {
                                run(plan, step, desired);
                            } catch (AssertionError e) {
                                throw new AssertionError(
                                        e.getMessage() + ", at " + step + " of " + plan, e);
                            }
                        }));
    }

    private void run(InstancePlan plan, WorldCopies.Part part, Desired desired) {
        Step step = part.step();
        Recorded.Instance row = rows.get(plan.id());
        if (row == null) {
            check(plan.isNew(), "no row of " + plan.text());
            row = newRow(plan);
        }
        if (row.updateCompleted()) {
            row = row.vm() == null || !step.verb().startsWith("remove") ? begun(row, plan) : row;
        }
        rows.put(plan.id(), row);
        Recorded.Instance after =
                step instanceof Step.CopyDisk copy
                        ? copies.run(row, copy.to(), part.number())
                        : carryOut(row, step, desired, plan);
        if (after == null) {
            rows.remove(plan.id());
        } else {
            rows.put(plan.id(), after);
        }
    }

    private Recorded.@Nullable Instance carryOut(
            Recorded.Instance row, Step step, Desired desired, InstancePlan plan) {
        return switch (step) {
            case Step.CreateVm s -> {
                check(row.vm() == null, "a second VM for " + plan.text());
                var cid = new VmCid("vm-" + ++serial);
                vms.put(cid, new Vm());
                fulfilled.add(row.id());
                var vm = new Recorded.Vm(new AgentId("agent-" + serial), cid, s.shape());
                yield with(row, vm, row.disks());
            }
            case Step.WelcomeAgent s -> same(row, agent(row));
            case Step.CreateDisk s -> {
                check(row.disk(s.disk().name()) == null, "a second disk for " + plan.text());
                yield with(row, row.vm(), plus(row.disks(), newDisk(s.disk(), null)));
            }
            case Step.AttachDisk s -> {
                VmCid vm = cid(row);
                Recorded.Disk recorded = live(row, s.disk());
                Disk disk = disk(recorded.cid());
                check(
                        disk.attachedTo == null || disk.attachedTo.equals(vm),
                        "disk of " + plan.text() + " is held by " + disk.attachedTo + " (R1)");
                disk.attachedTo = vm;
                yield with(
                        row,
                        row.vm(),
                        replaced(row, recorded, mounted(recorded, vm, s.mountOptions())));
            }
            case Step.MountDisk s -> {
                DiskCid disk = live(row, s.disk()).cid();
                check(cid(row).equals(disk(disk).attachedTo), "mount of what is not attached");
                agent(row).mounted.add(disk);
                yield row;
            }
            case Step.GrowDisk s -> {
                Disk disk = disk(s.disk());
                if (cannotResize && !s.attached() && !s.to().raw()) {
                    yield row;
                }
                check(s.to().sizeMb() > disk.sizeMb, "a disk only grows");
                check(
                        s.attached()
                                ? s.to().raw()
                                        ? cid(row).equals(disk.attachedTo)
                                        : agent(row).mounted.contains(s.disk())
                                : disk.attachedTo == null,
                        "grown in the wrong place");
                disk.sizeMb = s.to().sizeMb();
                Recorded.Disk old = live(row, s.to().name());
                yield with(row, row.vm(), replaced(row, old, sized(old, s.to())));
            }
            case Step.CopyDisk s -> throw new AssertionError("goes by parts");
            case Step.MoveInstance s -> {
                check(row.vm() == null, "moved with a VM");
                yield placed(row, row.group(), row.index(), s.az());
            }
            case Step.RenameInstance s -> placed(row, s.group(), s.index(), s.az());
            case Step.UnmountDisk s -> {
                check(!agent(row).jobState.equals("running"), "unmounted under containers");
                agent(row).mounted.remove(s.disk());
                yield row;
            }
            case Step.DetachDisk s -> {
                Vm vm = vms.get(s.vm());
                check(
                        vm == null || !vm.on || !vm.mounted.contains(s.disk()),
                        "detached while mounted");
                Disk disk = disk(s.disk());
                if (s.vm().equals(disk.attachedTo)) {
                    disk.attachedTo = null;
                }
                yield attached(row, s.disk(), null);
            }
            case Step.OrphanDisk s -> {
                check(disk(s.disk()).attachedTo == null, "an orphan is attached");
                yield orphaned(row, s.disk());
            }
            case Step.Prepare s -> same(row, agent(row));
            case Step.StopContainers s -> {
                agent(row).jobState = "stopped";
                yield row;
            }
            case Step.Apply s -> {
                agent(row).hash = group(desired, plan).configurationHash();
                yield row;
            }
            case Step.StartContainers s -> {
                for (Recorded.Disk disk : row.live()) {
                    check(
                            disk.raw() || agent(row).mounted.contains(disk.cid()),
                            "containers without their disk (R2)");
                }
                check(!agent(row).hash.isEmpty(), "nothing to start");
                agent(row).jobState = "running";
                fulfilled.add(row.id());
                yield row;
            }
            case Step.AwaitRunning s -> {
                check(agent(row).jobState.equals("running"), "will never run");
                yield row;
            }
            case Step.DeleteVm s -> {
                vms.remove(s.vm());
                disks.values().forEach(d -> d.attachedTo = free(d.attachedTo, s.vm()));
                Recorded.Instance freed = row;
                for (Recorded.Disk disk : row.disks()) {
                    if (s.vm().equals(disk.attachedTo())) {
                        freed = attached(freed, disk.cid(), null);
                    }
                }
                yield with(freed, null, freed.disks());
            }
            case Step.StartVm s -> {
                Vm vm = vm(s.vm());
                vm.on = true;
                vm.silent = false;
                vm.mounted.clear();
                vm.jobState = "starting";
                yield row;
            }
            case Step.SetMetadata s -> same(row, vm(s.vm()));
            case Step.RecordState s ->
                    new Recorded.Instance(
                            row.id(),
                            row.group(),
                            row.index(),
                            row.az(),
                            s.state(),
                            plan.bootstrap(),
                            row.ignored(),
                            true,
                            row.vm() == null ? "" : vm(cid(row)).hash,
                            plan.addresses(),
                            row.vm(),
                            row.disks(),
                            null);
            case Step.RemoveInstance s -> {
                check(row.vm() == null && row.disks().isEmpty(), "something is left behind");
                yield null;
            }
        };
    }

    // --- damage

    void loseVm(VmCid cid) {
        vms.remove(cid);
        disks.values().forEach(d -> d.attachedTo = free(d.attachedTo, cid));
    }

    /** A VM of former times has the disk, and the records know. */
    void leaveDiskWithAnOldVm(Recorded.Instance row) {
        if (!row.disks().isEmpty() && row.vm() != null) {
            loseVm(cid(row));
            var old = new VmCid("old-" + ++serial);
            vms.put(old, new Vm());
            leftovers.add(old);
            Recorded.Instance now = row;
            for (Recorded.Disk disk : row.disks()) {
                disk(disk.cid()).attachedTo = old;
                now = attached(now, disk.cid(), old);
            }
            rows.put(row.id(), now);
        }
    }

    // --- disks

    Recorded.Disk newDisk(Desired.DiskWish wish, @Nullable DiskCid copyOf) {
        var cid = new DiskCid("disk-" + ++serial);
        var disk = new Disk();
        disk.sizeMb = wish.sizeMb();
        disk.copyOf = copyOf;
        disks.put(cid, disk);
        return new Recorded.Disk(
                cid,
                wish.name(),
                wish.sizeMb(),
                wish.cloudProperties(),
                wish.type(),
                wish.fileSystem(),
                wish.mountOptions(),
                wish.raw(),
                copyOf == null,
                wish.manifestMb(),
                null,
                wish.renewal());
    }

    Disk disk(DiskCid cid) {
        Disk disk = disks.get(cid);
        if (disk == null) {
            throw new AssertionError("no disk " + cid);
        }
        return disk;
    }

    static Recorded.Disk live(Recorded.Instance row, String name) {
        Recorded.Disk disk = row.disk(name);
        if (disk == null) {
            throw new AssertionError("no disk '" + name + "' recorded of " + row.id());
        }
        return disk;
    }

    static List<Recorded.Disk> plus(List<Recorded.Disk> disks, Recorded.Disk disk) {
        var all = new ArrayList<>(disks);
        all.add(disk);
        return all;
    }

    static List<Recorded.Disk> replaced(
            Recorded.Instance row, Recorded.Disk was, Recorded.Disk now) {
        return row.disks().stream().map(d -> d.equals(was) ? now : d).toList();
    }

    static Recorded.Instance attached(Recorded.Instance row, DiskCid cid, @Nullable VmCid vm) {
        return with(
                row,
                row.vm(),
                row.disks().stream()
                        .map(d -> d.cid().equals(cid) ? mounted(d, vm, d.mountOptions()) : d)
                        .toList());
    }

    Recorded.Instance orphaned(Recorded.Instance row, DiskCid cid) {
        disk(cid).orphan = true;
        return with(row, row.vm(), row.disks().stream().filter(d -> !d.cid().equals(cid)).toList());
    }

    private static Recorded.Disk mounted(
            Recorded.Disk d, @Nullable VmCid vm, List<String> mountOptions) {
        return new Recorded.Disk(
                d.cid(),
                d.name(),
                d.sizeMb(),
                d.cloudProperties(),
                d.type(),
                d.fileSystem(),
                mountOptions,
                d.raw(),
                d.live(),
                d.manifestMb(),
                vm,
                d.renewal());
    }

    private static Recorded.Disk sized(Recorded.Disk d, Desired.DiskWish to) {
        return new Recorded.Disk(
                d.cid(),
                d.name(),
                to.sizeMb(),
                d.cloudProperties(),
                to.type(),
                d.fileSystem(),
                d.mountOptions(),
                d.raw(),
                d.live(),
                to.manifestMb(),
                d.attachedTo(),
                d.renewal());
    }

    static Recorded.Disk lives(Recorded.Disk d, boolean live) {
        return new Recorded.Disk(
                d.cid(),
                d.name(),
                d.sizeMb(),
                d.cloudProperties(),
                d.type(),
                d.fileSystem(),
                d.mountOptions(),
                d.raw(),
                live,
                d.manifestMb(),
                d.attachedTo(),
                d.renewal());
    }

    // --- rows

    private static Recorded.Instance newRow(InstancePlan plan) {
        return new Recorded.Instance(
                plan.id(),
                plan.group(),
                plan.index(),
                plan.az(),
                plan.wishedState(),
                plan.bootstrap(),
                false,
                false,
                "",
                plan.addresses(),
                null,
                List.of(),
                null);
    }

    private static Recorded.Instance placed(
            Recorded.Instance row, String group, int index, @Nullable String az) {
        return new Recorded.Instance(
                row.id(),
                group,
                index,
                az,
                row.state(),
                row.bootstrap(),
                row.ignored(),
                row.updateCompleted(),
                row.configurationHash(),
                row.addresses(),
                row.vm(),
                row.disks(),
                null);
    }

    private static Recorded.Instance begun(Recorded.Instance row, InstancePlan plan) {
        return new Recorded.Instance(
                row.id(),
                row.group(),
                row.index(),
                row.az(),
                row.state(),
                row.bootstrap(),
                row.ignored(),
                false,
                row.configurationHash(),
                plan.addresses(),
                row.vm(),
                row.disks(),
                null);
    }

    static Recorded.Instance with(
            Recorded.Instance row, Recorded.@Nullable Vm vm, List<Recorded.Disk> disks) {
        return new Recorded.Instance(
                row.id(),
                row.group(),
                row.index(),
                row.az(),
                row.state(),
                row.bootstrap(),
                row.ignored(),
                row.updateCompleted(),
                row.configurationHash(),
                row.addresses(),
                vm,
                disks,
                null);
    }

    static VmCid cid(Recorded.Instance row) {
        Recorded.Vm vm = row.vm();
        if (vm == null) {
            throw new AssertionError("no VM recorded of " + row.id());
        }
        return vm.cid();
    }

    private Vm vm(VmCid cid) {
        Vm vm = vms.get(cid);
        if (vm == null) {
            throw new AssertionError("no VM " + cid);
        }
        return vm;
    }

    Vm agent(Recorded.Instance row) {
        Vm vm = vm(cid(row));
        check(vm.on && !vm.silent, "the agent of " + row.id() + " cannot answer");
        return vm;
    }

    private static Desired.Group group(Desired desired, InstancePlan plan) {
        return desired.groups().stream()
                .filter(g -> g.name().equals(plan.group()))
                .findFirst()
                .orElseThrow();
    }

    private static Recorded.Instance same(Recorded.Instance row, Vm vm) {
        check(vm.on, "the VM is off");
        return row;
    }

    private static @Nullable VmCid free(@Nullable VmCid holder, VmCid gone) {
        return gone.equals(holder) ? null : holder;
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}

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
    }

    final Map<InstanceId, Recorded.Instance> rows = new LinkedHashMap<>();
    final Map<VmCid, Vm> vms = new HashMap<>();
    final Map<DiskCid, Disk> disks = new HashMap<>();
    final Set<InstanceId> fulfilled = new HashSet<>();
    final Set<VmCid> leftovers = new HashSet<>();
    Map<String, String> tags = Map.of();
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
        steps.forEach(step ->
                work.add(() -> {
                    try {
                        run(plan, step, desired);
                    } catch (AssertionError e) {
                        throw new AssertionError(
                                e.getMessage() + ", at " + step + " of " + plan, e);
                    }
                }));
    }

    private void run(InstancePlan plan, Step step, Desired desired) {
        Recorded.Instance row = rows.get(plan.id());
        if (row == null) {
            check(plan.isNew(), "no row of " + plan.text());
            row = newRow(plan);
        }
        if (row.updateCompleted()) {
            row = row.vm() == null || !step.verb().startsWith("remove") ? begun(row, plan) : row;
        }
        rows.put(plan.id(), row);
        Recorded.Instance after = carryOut(row, step, desired, plan);
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
                yield with(
                        row,
                        new Recorded.Vm(new AgentId("agent-" + serial), cid, s.shape()),
                        row.disk());
            }
            case Step.WelcomeAgent s -> same(row, agent(row));
            case Step.CreateDisk s -> {
                check(row.disk() == null, "a second disk for " + plan.text());
                var cid = new DiskCid("disk-" + ++serial);
                var disk = new Disk();
                disk.sizeMb = s.sizeMb();
                disks.put(cid, disk);
                yield with(row, row.vm(), disk(row, cid, s.sizeMb(), s, null));
            }
            case Step.AttachDisk s -> {
                VmCid vm = cid(row);
                Disk disk = disk(row);
                check(
                        disk.attachedTo == null || disk.attachedTo.equals(vm),
                        "disk of " + plan.text() + " is held by " + disk.attachedTo + " (R1)");
                disk.attachedTo = vm;
                yield attached(row, vm);
            }
            case Step.MountDisk s -> {
                check(cid(row).equals(disk(row).attachedTo), "mount of what is not attached");
                agent(row).mounted.add(recordedDisk(row).cid());
                yield row;
            }
            case Step.GrowDisk s -> {
                Disk disk = disk(row);
                check(s.sizeMb() > disk.sizeMb, "a disk only grows");
                check(
                        s.attached()
                                ? agent(row).mounted.contains(s.disk())
                                : disk.attachedTo == null,
                        "grown in the wrong place");
                disk.sizeMb = s.sizeMb();
                Recorded.Disk old = recordedDisk(row);
                yield with(
                        row,
                        row.vm(),
                        new Recorded.Disk(
                                old.cid(),
                                s.sizeMb(),
                                old.cloudProperties(),
                                old.type(),
                                old.attachedTo()));
            }
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
                Disk disk = disk(row);
                if (s.vm().equals(disk.attachedTo)) {
                    disk.attachedTo = null;
                }
                yield attached(row, null);
            }
            case Step.OrphanDisk s -> {
                check(disk(row).attachedTo == null, "an orphan is attached");
                disk(row).orphan = true;
                yield with(row, row.vm(), null);
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
                check(
                        row.disk() == null || agent(row).mounted.contains(row.disk().cid()),
                        "containers without their disk (R2)");
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
                Recorded.Disk disk = row.disk();
                Recorded.Instance freed =
                        disk != null && s.vm().equals(disk.attachedTo())
                                ? attached(row, null)
                                : row;
                yield with(freed, null, freed.disk());
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
                            row.disk());
            case Step.RemoveInstance s -> {
                check(row.vm() == null && row.disk() == null, "something is left behind");
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
        if (row.disk() != null && row.vm() != null) {
            loseVm(cid(row));
            var old = new VmCid("old-" + ++serial);
            vms.put(old, new Vm());
            leftovers.add(old);
            disk(row).attachedTo = old;
            rows.put(row.id(), attached(row, old));
        }
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
                row.disk());
    }

    static Recorded.Instance with(
            Recorded.Instance row, Recorded.@Nullable Vm vm, Recorded.@Nullable Disk disk) {
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
                disk);
    }

    static Recorded.Instance attached(Recorded.Instance row, @Nullable VmCid vm) {
        Recorded.Disk disk = recordedDisk(row);
        return with(
                row,
                row.vm(),
                new Recorded.Disk(
                        disk.cid(), disk.sizeMb(), disk.cloudProperties(), disk.type(), vm));
    }

    private static Recorded.Disk disk(
            Recorded.Instance row,
            DiskCid cid,
            long sizeMb,
            Step.CreateDisk step,
            @Nullable VmCid vm) {
        return new Recorded.Disk(cid, sizeMb, step.cloudProperties(), step.type(), vm);
    }

    private static Recorded.Disk recordedDisk(Recorded.Instance row) {
        Recorded.Disk disk = row.disk();
        if (disk == null) {
            throw new AssertionError("no disk recorded of " + row.id());
        }
        return disk;
    }

    private static VmCid cid(Recorded.Instance row) {
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

    private Vm agent(Recorded.Instance row) {
        Vm vm = vm(cid(row));
        check(vm.on && !vm.silent, "the agent of " + row.id() + " cannot answer");
        return vm;
    }

    private Disk disk(Recorded.Instance row) {
        Disk disk = disks.get(recordedDisk(row).cid());
        if (disk == null) {
            throw new AssertionError("no disk of " + row.id());
        }
        return disk;
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

package dev.berth.simulation;

import dev.berth.model.ContainerSpec;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.testkit.FakeAgents;
import dev.berth.testkit.FakeCloud;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.FakeVm;
import dev.berth.testkit.Ledger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Watches the whole run. What is broken is noted when it happens and thrown at the next look. */
final class Rules implements FakeVm.Witness {
    /** A container that was stopped though nobody had asked for a change of it. */
    private record Stop(InstanceId instance, String text) {}

    /** What operators are told, and not the director's own constant. */
    private static final Duration ORPHANS_ARE_KEPT = Duration.ofDays(5);

    private final World world;
    private final List<String> broken = new ArrayList<>();
    private final Map<String, Long> checks = new TreeMap<>();
    private final Set<String> mayStop = new HashSet<>();
    private final List<Stop> stops = new ArrayList<>();
    private final Map<DiskCid, Long> rows = new HashMap<>();
    private final Map<InstanceId, DiskCid> disks = new HashMap<>();
    private final Set<DiskCid> mayGo = new HashSet<>();
    private final Map<InstanceId, Instant> ignored = new HashMap<>();
    private final Set<Long> repairs = new HashSet<>();
    private final Map<String, Instant> massFailures = new HashMap<>();
    private final Ledgers ledgers;
    final AlertRules alerts;
    final Pools pools;
    private long mutations;

    Rules(World world) {
        this.world = world;
        this.ledgers = new Ledgers(world, this::check);
        this.alerts = new AlertRules(world, this::check);
        this.pools = new Pools(world, this::check);
    }

    /** How often each rule was looked at. */
    Map<String, Long> checks() {
        return checks;
    }

    private void check(String rule, boolean holds, String what) {
        checks.merge(rule, 1L, Long::sum);
        if (!holds) {
            world.trace.say("BROKEN " + rule + ": " + what);
            broken.add(rule + ": " + what);
        }
    }

    void throwIfBroken() {
        if (!broken.isEmpty()) {
            throw new Broken(String.join("\n", broken));
        }
    }

    // --- R6: who may be stopped

    /** All containers of a group, of an instance, or one container of a group may be stopped. */
    void mayStop(String what) {
        mayStop.add(what);
    }

    void mayStopGroup(String deployment, String group) {
        mayStop(deployment + "/" + group);
    }

    /** Where a disk cannot grow under a running VM, its containers have to let go of it. */
    void mayStopToGrow(String deployment, String group) {
        if (!world.cloud.growsAttachedDisks()) {
            mayStopGroup(deployment, group);
        }
    }

    void mayStopContainer(String deployment, String group, String container) {
        mayStop(deployment + "/" + group + "/" + container);
    }

    @Override
    public void started(FakeVm vm, ContainerSpec container, @Nullable DiskCid mounted) {
        check(
                "R2",
                !container.usesPersistentDisk() || mounted != null,
                container.name() + " started in " + vm + " without its disk");
        if (container.usesPersistentDisk() && mounted != null) {
            own(vm, mounted, world.database.read(s -> s.disk(mounted)).orElse(null));
            ledgers.started(vm, mounted);
        }
        world.trace.say("started " + container.name() + " in " + vm.cid());
    }

    @Override
    public void stopped(FakeVm vm, ContainerSpec container, String cause) {
        String group = vm.deployment() + "/" + vm.group();
        boolean allowed =
                mayStop.contains(group)
                        || mayStop.contains(group + "/" + container.name())
                        || mayStop.contains(vm.instance())
                        || mayStop.contains(vm.deployment());
        String text = container.name() + " in " + vm + " was stopped by '" + cause + "'";
        world.trace.say("stopped " + container.name() + " in " + vm.cid() + " by " + cause);
        checks.merge("R6", 1L, Long::sum);
        if (!allowed) {
            stops.add(new Stop(new InstanceId(vm.instance()), text));
        }
    }

    @Override
    public void wrote(FakeVm vm, DiskCid disk, Ledger.Row row) {
        ledgers.wrote(vm, disk, row);
    }

    @Override
    public void broken(FakeVm vm, String rule) {
        check(rule.substring(0, 2), false, rule + " in " + vm);
    }

    // --- at each call

    void asked(FakeCpi.Call call) {
        if (!Faults.isLook(call)) {
            mutations++;
            foreign(call);
        }
        switch (call.method()) {
            case "attach_disk" -> attachment(call);
            case "detach_disk" -> detachment(call);
            case "delete_disk" -> deletion(call);
            case "resize_disk" -> resizing(call);
            case "create_vm" -> {
                addresses(call, 3, null);
                repairOf(call);
            }
            case "configure_networks" -> addresses(call, 1, (VmCid) call.arguments().getFirst());
            case "delete_vm" -> {
                pools.deletion(call);
                repairOf(call);
            }
            case "reboot_vm" -> repairOf(call);
            default -> {}
        }
    }

    /**
     * A record that is handed over moves nothing: a manifest with a text of its own that wishes
     * what is there is kept with it, as after a resize by command.
     */
    void asked(FakeAgents.Call call) {
        if (call.isMutating() && !call.method().equals("keep_record")) {
            mutations++;
        }
    }

    /** Calls so far that could change something. */
    long mutations() {
        return mutations;
    }

    /** R5: the same manifest again did so many calls that change something. */
    void untouched(String deployment, long calls) {
        check(
                "R5",
                calls == 0,
                "the same manifest again of " + deployment + " acted " + calls + " times");
        throwIfBroken();
    }

    private void attachment(FakeCpi.Call call) {
        VmCid vm = (VmCid) call.arguments().get(0);
        DiskCid disk = (DiskCid) call.arguments().get(1);
        VmCid holder = world.cloud.disk(disk).map(FakeCloud.Disk::attachedTo).orElse(null);
        boolean free = holder == null || holder.equals(vm) || world.cloud.vm(holder).isEmpty();
        check("R1", free, "disk " + disk + " is to go to " + vm + " and " + holder + " has it");
    }

    /** Whether or not the cloud refuses it: to ask for it is to believe that the disk is free. */
    private void detachment(FakeCpi.Call call) {
        VmCid vm = (VmCid) call.arguments().get(0);
        DiskCid disk = (DiskCid) call.arguments().get(1);
        boolean mounted = world.cloud.disk(disk).filter(d -> vm.equals(d.mountedIn())).isPresent();
        check("R1", !mounted, "disk " + disk + " is to be taken from " + vm + ", which mounts it");
    }

    /** A cloud that grows free disks only does harm to one that a VM still has. */
    private void resizing(FakeCpi.Call call) {
        DiskCid disk = (DiskCid) call.arguments().getFirst();
        VmCid holder = world.cloud.disk(disk).map(FakeCloud.Disk::attachedTo).orElse(null);
        boolean held = holder != null && world.cloud.vm(holder).isPresent();
        check(
                "R1",
                !held || world.cloud.growsAttachedDisks(),
                "disk " + disk + " is to grow, and " + holder + " has it");
    }

    /** Another director's things on the same cloud are none of ours. */
    private void foreign(FakeCpi.Call call) {
        for (Object argument : call.arguments()) {
            boolean ours =
                    switch (argument) {
                        case VmCid vm -> world.cloud.vm(vm).filter(World::isForeign).isEmpty();
                        case DiskCid disk ->
                                world.cloud.disk(disk).filter(World::isForeign).isEmpty();
                        case null, default -> true;
                    };
            check("foreign", ours, call.method() + " of what another director has: " + argument);
        }
    }

    /**
     * An instance keeps its addresses, so that a second VM with one of them is made by somebody who
     * takes the first for gone, and its disk for free.
     */
    private void addresses(FakeCpi.Call call, int networks, @Nullable VmCid but) {
        Set<String> wanted = addresses(call.arguments().get(networks));
        for (FakeCloud.Vm vm : world.cloud.vms()) {
            check(
                    "R1",
                    vm.cid().equals(but)
                            || java.util.Collections.disjoint(wanted, addresses(vm.networks())),
                    "a second VM is to have an address of " + vm.cid());
        }
    }

    private static Set<String> addresses(@Nullable Object networks) {
        return Json.asObject(networks).values().stream()
                .map(n -> Fields.of(n, "network").string("ip", ""))
                .filter(ip -> !ip.isEmpty())
                .collect(Collectors.toSet());
    }

    /** R3: nobody here names a disk to be deleted, so that it must be an orphan of five days. */
    private void deletion(FakeCpi.Call call) {
        DiskCid disk = (DiskCid) call.arguments().getFirst();
        Instant orphaned =
                world.database.read(s -> s.disk(disk)).map(Rows.Disk::orphanedAt).orElse(null);
        boolean over = orphaned != null && !world.told().isBefore(orphaned.plus(ORPHANS_ARE_KEPT));
        check("R3", over, "disk " + disk + " is to be deleted, an orphan since " + orphaned);
        if (over) {
            mayGo.add(disk);
        }
    }

    /** A person said that nobody is to touch it. */
    void ignored(InstanceId instance) {
        ignored.put(instance, world.told());
    }

    void regarded(InstanceId instance) {
        ignored.remove(instance);
    }

    /** R7: a repair never acts against a person's stop or ignore. */
    private void repairOf(FakeCpi.Call call) {
        var id = new IntentId(call.context().requestId());
        Rows.Instance instance =
                world.database.read(s ->
                        s.openIntents(null).stream()
                                .filter(i -> i.id().equals(id))
                                .filter(i -> isRepair(s, i) || ignored.containsKey(i.instance()))
                                .flatMap(i -> Stream.ofNullable(i.instance()))
                                .flatMap(i -> s.instance(i).stream())
                                .findFirst()
                                .orElse(null));
        if (instance != null) {
            check(
                    "R7",
                    instance.state().equals("started") && !instance.ignored(),
                    "nobody wants " + call.method() + " for " + instance);
        }
    }

    private static boolean isRepair(StoreSession s, Rows.Intent intent) {
        return s.task(intent.task()).filter(t -> t.type().equals("cck_scan_and_fix")).isPresent();
    }

    // --- at each beat

    void sweep() {
        for (FakeVm vm : world.agents.vms()) {
            boolean data =
                    vm.running().values().stream().anyMatch(r -> r.spec().usesPersistentDisk());
            if (data) {
                check("R2", vm.mounted() != null, vm + " runs data without a disk");
            }
        }
        Map<DiskCid, Rows.Disk> recorded =
                world
                        .database
                        .read(s ->
                                Stream.concat(s.disksOf(null).stream(), s.orphanedDisks().stream())
                                        .toList())
                        .stream()
                        .collect(Collectors.toMap(Rows.Disk::cid, d -> d));
        var seen = new HashMap<String, Integer>();
        for (FakeCloud.Disk disk : world.cloud.disks()) {
            VmCid mounted = disk.mountedIn();
            check(
                    "R1",
                    mounted == null || mounted.equals(disk.attachedTo()),
                    disk + " is mounted where it is not attached");
            Rows.Disk row = recorded.get(disk.cid());
            free(disk, row);
            if (mounted != null) {
                if (row == null || row.active()) {
                    String name = row == null ? "" : row.name();
                    seen.merge(mounted + " disk '" + name + "'", 1, Integer::sum);
                }
                world.agents.vms().stream()
                        .filter(vm -> vm.cid().equals(mounted))
                        .forEach(vm -> own(vm, disk.cid(), row));
            }
            long now = world.agents.content(disk.cid()).map(c -> c.ledger().size()).orElse(0);
            long before = rows.getOrDefault(disk.cid(), 0L);
            check("R3", now >= before, disk.cid() + " lost rows: " + before + ", now " + now);
            rows.put(disk.cid(), now);
        }
        seen.forEach((vm, count) -> check("R1", count == 1, vm + " has " + count + " disks"));
        world.database.read(s -> {
            pools.sweep(s);
            return true;
        });
        rows.keySet().removeIf(disk -> mayGo.contains(disk) && world.cloud.disk(disk).isEmpty());
        check("R3", rows.size() == world.cloud.disks().size(), "a disk is gone from the cloud");
        repairsBegun();
    }

    /**
     * R1: what is recorded errs on the side of "held". Who takes a disk for free that some VM still
     * has will give it to the next one.
     */
    private void free(FakeCloud.Disk disk, Rows.@Nullable Disk row) {
        VmCid holder = disk.attachedTo();
        boolean held = holder != null && world.cloud.vm(holder).isPresent();
        check(
                "R1",
                !held || row == null || row.attachedTo() != null,
                disk.cid() + " is taken for free, and " + holder + " has it");
    }

    /** R2: data is written to the disk of its own instance and to no other. */
    private void own(FakeVm vm, DiskCid disk, Rows.@Nullable Disk row) {
        if (world.isStoreLost()) {
            return; // nobody can say whose it is
        }
        String owner = String.valueOf(row == null ? null : row.instance());
        check(
                "R2",
                owner.equals(vm.instance()),
                vm + " has mounted disk " + disk + ", which belongs to " + owner);
    }

    private void repairsBegun() {
        List<Rows.Task> all =
                world.database.read(s -> s.tasks(null, List.of("cck_scan_and_fix"), null, 50));
        for (Rows.Task task : all) {
            if (repairs.add(task.id())) {
                Instant failed = massFailures.get(String.valueOf(task.deployment()));
                // A judge that was not there remembers nothing: it counts those who are down now.
                boolean meltdown =
                        failed != null
                                && failed.isAfter(world.upSince())
                                && task.queuedAt().isAfter(failed.plusSeconds(2))
                                && task.queuedAt().isBefore(failed.plusSeconds(120));
                int instances = repaired(task).size();
                long others =
                        all.stream()
                                .filter(t ->
                                        t.finishedAt() == null
                                                && t.queuedAt().isAfter(world.upSince())
                                                && String.valueOf(t.deployment())
                                                        .equals(task.deployment()))
                                .count();
                world.trace.say(
                        "repair task "
                                + task.id()
                                + " of "
                                + instances
                                + " instances "
                                + task.state()
                                + " "
                                + task.result()
                                + " "
                                + task.payload());
                check(
                        "R7",
                        !meltdown || instances == 1 && others <= 1,
                        "in a meltdown " + instances + " are repaired at once, tasks: " + others);
                wanted(task, all);
            }
        }
    }

    /** R7: nobody is repaired whom a person ignores, and nobody by two tasks at once. */
    private void wanted(Rows.Task task, List<Rows.Task> all) {
        for (InstanceId instance : repaired(task)) {
            Instant since = ignored.get(instance);
            check(
                    "R7",
                    since == null || !task.queuedAt().isAfter(since.plusSeconds(2)),
                    "task " + task.id() + " repairs " + instance + ", ignored since " + since);
            List<Long> others =
                    all.stream()
                            .filter(t -> t.id() < task.id() && repaired(t).contains(instance))
                            .filter(t -> t.finishedAt() == null)
                            .map(Rows.Task::id)
                            .toList();
            check(
                    "R7",
                    others.isEmpty(),
                    "task " + task.id() + " repairs " + instance + ", and so do tasks " + others);
        }
    }

    private static Set<InstanceId> repaired(Rows.Task task) {
        return Fields.of(task.payload(), "payload").object("jobs").tree().values().stream()
                .flatMap(ids -> Json.asList(ids).stream())
                .map(id -> new InstanceId(id.toString()))
                .collect(Collectors.toSet());
    }

    /** So many VMs of a deployment were lost at once that its repairs must go one at a time. */
    void massFailure(String deployment) {
        massFailures.put(deployment, world.told());
    }

    /** Tasks are counted anew. */
    void storeLost() {
        repairs.clear();
        massFailures.clear();
    }

    // --- at rest

    /** Nothing goes on and nothing is wrong: what must hold then. */
    void atRest(List<Wish> wishes) {
        restOfR6();
        check("R4", world.unfinished().isEmpty(), "unfinished tasks: " + world.unfinished());
        world.database.read(s -> {
            leaks(s);
            pools.atRest(s);
            addresses(s);
            keptDisks(s, wishes);
            alerts.atRest(s);
            return true;
        });
        for (Wish wish : wishes) {
            world.database.read(s -> {
                fulfilled(s, wish);
                return true;
            });
        }
        secrets();
        throwIfBroken();
    }

    /** From here on only what is asked for anew may stop. */
    void expectNoStops() {
        mayStop.clear();
    }

    private void restOfR6() {
        Set<InstanceId> there =
                world.database.read(s -> s.instances(null)).stream()
                        .map(Rows.Instance::id)
                        .collect(Collectors.toSet());
        // An instance that a smaller manifest removed was stopped rightly, and so was one of which
        // it is known only now that it might.
        stops.stream()
                .filter(stop -> there.contains(stop.instance()))
                .filter(stop -> !mayStop.contains(stop.instance().value()))
                .forEach(stop -> check("R6", false, stop.text()));
        stops.clear();
    }

    private void leaks(StoreSession s) {
        check("R4", s.openIntents(null).isEmpty(), "open intents: " + s.openIntents(null));
        Set<String> recorded = set(s.vmsOf(null), v -> v.cid().value());
        recorded.addAll(set(s.spares(), v -> String.valueOf(v.cid())));
        Set<String> real = set(world.ownVms(), v -> v.cid().value());
        check("R4", real.equals(recorded), "VMs in the cloud " + real + ", recorded " + recorded);
        Set<String> known = set(s.disksOf(null), d -> d.cid().value());
        known.addAll(set(s.orphanedDisks(), d -> d.cid().value()));
        Set<String> made = set(world.ownDisks(), d -> d.cid().value());
        check("R4", made.equals(known), "disks in the cloud " + made + ", recorded " + known);
        var holders = new LinkedHashMap<String, String>();
        s.disksOf(null).forEach(d -> holders.put(d.cid().value(), String.valueOf(d.attachedTo())));
        check("foreign", world.foreignIsAsItWas(), "what another director has was changed");
        for (FakeCloud.Disk disk : world.ownDisks()) {
            String holder = holders.getOrDefault(disk.cid().value(), "null");
            VmCid vm = disk.attachedTo();
            // What a lost VM held is free, though the cloud has not been told.
            String now = vm == null || world.cloud.vm(vm).isEmpty() ? "null" : vm.value();
            check("R4", holder.equals(now), disk + " is recorded as attached to " + holder);
        }
    }

    private static <T> Set<String> set(List<T> items, Function<T, String> name) {
        return items.stream().map(name).collect(Collectors.toCollection(java.util.TreeSet::new));
    }

    private void addresses(StoreSession s) {
        Map<InstanceId, List<String>> held =
                s.ips().stream()
                        .collect(
                                Collectors.groupingBy(
                                        Rows.Ip::instance,
                                        Collectors.mapping(Rows.Ip::address, Collectors.toList())));
        Set<InstanceId> instances =
                s.instances(null).stream().map(Rows.Instance::id).collect(Collectors.toSet());
        s.spares().forEach(spare -> instances.add(new InstanceId(spare.agent().value())));
        held.forEach((instance, addresses) ->
                check(
                        "R4",
                        instances.contains(instance) && addresses.size() == 1,
                        instance + " holds " + addresses));
        for (Rows.Vm vm : s.vmsOf(null)) {
            List<String> own = held.getOrDefault(vm.instance(), List.of());
            String real =
                    world.cloud
                            .vm(vm.cid())
                            .map(v -> Fields.of(v.networks(), "n").object("default").string("ip"))
                            .orElse("none");
            check("R4", own.equals(List.of(real)), vm.cid() + " has " + real + ", recorded " + own);
        }
    }

    /** An instance keeps its disk as long as it exists and is to have one. */
    private void keptDisks(StoreSession s, List<Wish> wishes) {
        Set<String> without =
                wishes.stream()
                        .flatMap(w ->
                                w.groups().stream()
                                        .filter(g -> g.diskMb() == 0)
                                        .map(g -> w.name() + "/" + g.name()))
                        .collect(Collectors.toSet());
        for (Rows.Instance instance : s.instances(null)) {
            List<DiskCid> active =
                    s.disks(instance.id()).stream()
                            .filter(d -> d.active() && d.name().isEmpty())
                            .map(Rows.Disk::cid)
                            .toList();
            DiskCid before = disks.get(instance.id());
            boolean given = without.contains(instance.deployment() + "/" + instance.group());
            check("R3", active.size() <= 1, instance.id() + " has disks " + active);
            check(
                    "R3",
                    before == null
                            || active.contains(before)
                            || given
                            || isHeir(instance, before, active),
                    instance.id() + " had disk " + before + " and has " + active);
            if (!active.isEmpty()) {
                disks.put(instance.id(), active.getFirst());
                ledgers.has(instance.id(), active.getFirst());
            } else if (given) {
                forget(instance.id());
            }
        }
        Set<InstanceId> there =
                s.instances(null).stream().map(Rows.Instance::id).collect(Collectors.toSet());
        List.copyOf(disks.keySet()).stream().filter(i -> !there.contains(i)).forEach(this::forget);
        ledgers.leftAlone();
    }

    /** Another disk than before is right when the one before says so and all is on it. */
    private boolean isHeir(Rows.Instance instance, @Nullable DiskCid before, List<DiskCid> active) {
        DiskCid heir =
                before == null
                        ? null
                        : world.agents
                                .content(before)
                                .map(FakeVm.Content::supersededBy)
                                .orElse(null);
        return heir != null && active.equals(List.of(heir)) && ledgers.isWhole(instance.id(), heir);
    }

    private void forget(InstanceId instance) {
        DiskCid disk = disks.remove(instance);
        if (disk != null) {
            ledgers.leaves(instance, disk);
        }
    }

    /** What was asked for is there and runs. */
    private void fulfilled(StoreSession s, Wish wish) {
        Map<String, List<Rows.Instance>> rows =
                s.instances(wish.name()).stream()
                        .collect(Collectors.groupingBy(Rows.Instance::group));
        check(
                "wish",
                wish.byName().keySet().containsAll(rows.keySet()),
                "groups " + rows.keySet() + " of " + wish.name());
        for (Wish.Group group : wish.groups()) {
            List<Rows.Instance> instances = rows.getOrDefault(group.name(), List.of());
            check(
                    "wish",
                    instances.size() == group.instances(),
                    wish.name() + "/" + group.name() + " has " + instances.size());
            instances.forEach(i -> fulfilled(s, group, i));
        }
    }

    private void fulfilled(StoreSession s, Wish.Group group, Rows.Instance instance) {
        if (instance.ignored()) {
            return;
        }
        List<Rows.Vm> vms = s.vms(instance.id());
        String text = instance.group() + "/" + instance.id() + " (" + instance.state() + ")";
        int expected = instance.state().equals("detached") ? 0 : 1;
        check("wish", vms.size() == expected, text + " has " + vms.size() + " VMs");
        for (Rows.Vm row : vms) {
            FakeVm vm = world.agents.vm(row.agent()).orElse(null);
            List<String> runs =
                    vm == null
                            ? List.of()
                            : vm.running().values().stream()
                                    .map(r -> r.spec().name() + " " + r.spec().image().reference())
                                    .sorted()
                                    .toList();
            List<String> wished =
                    instance.state().equals("started")
                            ? group.containers().stream()
                                    .map(c -> c.name() + " " + c.image())
                                    .sorted()
                                    .toList()
                            : List.of();
            check("wish", runs.equals(wished), text + " runs " + runs + ", wished " + wished);
        }
        if (group.diskMb() > 0 && instance.state().equals("started")) {
            grown(s, group, instance, text);
        } else if (instance.state().equals("started")) {
            check("wish", managed(s, instance).isEmpty(), text + " still has a disk");
        }
        if (instance.state().equals("started")) {
            NamedDisks.check(world, s, group, instance, this::check);
        }
    }

    private void grown(StoreSession s, Wish.Group group, Rows.Instance instance, String text) {
        List<Rows.Disk> own = managed(s, instance);
        check("wish", own.size() == 1, text + " has disks " + own);
        for (Rows.Disk disk : own) {
            long real = world.cloud.disk(disk.cid()).map(FakeCloud.Disk::sizeMb).orElse(0L);
            long inside =
                    world.agents.content(disk.cid()).map(FakeVm.Content::fileSystemMb).orElse(0L);
            check(
                    "wish",
                    disk.sizeMb() == group.diskMb() && real == disk.sizeMb() && inside == real,
                    text
                            + " wishes "
                            + group.diskMb()
                            + " MB, recorded "
                            + disk.sizeMb()
                            + ", real "
                            + real
                            + ", file system "
                            + inside);
        }
    }

    private static List<Rows.Disk> managed(StoreSession s, Rows.Instance instance) {
        return s.disks(instance.id()).stream().filter(d -> d.name().isEmpty()).toList();
    }

    // --- R8

    private void secrets() {
        String stored = world.database.read(Rules::everything);
        check("R8", !stored.contains(World.SECRET), "the secret is in the store");
        try (Stream<Path> files = Files.walk(world.folder.resolve("tasks"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                check(
                        "R8",
                        !Files.readString(file, StandardCharsets.UTF_8).contains(World.SECRET),
                        "the secret is in " + world.folder.relativize(file));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String everything(StoreSession s) {
        var text = new StringBuilder();
        List<Rows.Task> tasks = s.tasks(null, null, null, Integer.MAX_VALUE);
        text.append(tasks).append(s.deployments()).append(s.instances(null)).append(s.vmsOf(null));
        tasks.forEach(t -> text.append(s.intents(t.id())));
        text.append(s.disksOf(null)).append(s.orphanedDisks()).append(s.variables("/"));
        text.append(s.events(null, null, Integer.MAX_VALUE)).append(s.ips());
        return text.toString();
    }
}

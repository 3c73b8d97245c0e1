package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.director.Finding.Repair;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Record, cloud and agents side by side: each difference with the repair that loses nothing. Pure:
 * the same facts give the same findings, in the same order.
 */
final class Diagnosis {
    private final Facts facts;
    private final Map<InstanceId, Rows.Instance> instances = new HashMap<>();
    private final Map<String, CloudObject> cloudVms = new LinkedHashMap<>();
    private final Map<String, CloudObject> cloudDisks = new LinkedHashMap<>();
    private final Set<String> busy = new HashSet<>();
    private final List<Finding> findings = new ArrayList<>();

    private Diagnosis(Facts facts) {
        this.facts = facts;
        facts.instances().forEach(i -> instances.put(i.id(), i));
        for (CloudObject object :
                Objects.requireNonNullElse(facts.inventory(), List.<CloudObject>of())) {
            switch (object.kind()) {
                case VM -> cloudVms.put(object.cid(), object);
                case DISK -> cloudDisks.put(object.cid(), object);
                case NETWORK -> {}
            }
        }
        for (Rows.Intent intent : facts.openIntents()) {
            busy.add(intent.id().value());
            Fields payload = Fields.of(intent.payload(), "intent");
            for (String key : List.of("vm", "disk", "agent")) {
                busy.add(payload.string(key, ""));
            }
        }
    }

    static List<Finding> of(Facts facts) {
        var diagnosis = new Diagnosis(facts);
        facts.instances().forEach(diagnosis::instance);
        facts.vms().forEach(diagnosis::vm);
        facts.disks().forEach(diagnosis::disk);
        if (facts.inventory() != null) {
            diagnosis.strangers();
        }
        diagnosis.findings.sort(
                Comparator.comparing(Finding::deployment)
                        .thenComparing(Finding::instance)
                        .thenComparing(Finding::kind)
                        .thenComparing(Finding::subject));
        return List.copyOf(diagnosis.findings);
    }

    private void found(
            String kind,
            String subject,
            Rows.@Nullable Instance of,
            String expected,
            String found,
            Repair repair) {
        findings.add(
                new Finding(
                        kind,
                        subject,
                        of == null ? "" : of.deployment(),
                        of == null ? "" : name(of),
                        expected,
                        found,
                        repair));
    }

    private static String name(Rows.Instance i) {
        return i.group() + "/" + i.id();
    }

    // --- instances

    private void instance(Rows.Instance i) {
        List<Rows.Vm> active =
                facts.vms().stream()
                        .filter(v -> v.instance().equals(i.id()) && v.active())
                        .toList();
        if (active.isEmpty() && !i.state().equals("detached") && !isBusy(i)) {
            found("vm-none", name(i), i, "a VM", "none is recorded", fix(i));
        }
        if (!i.updateCompleted()) {
            found(
                    "update-incomplete",
                    name(i),
                    i,
                    "its last update completed",
                    "it did not",
                    new Repair.ByHand("deploy again"));
        }
    }

    private boolean isBusy(Rows.Instance i) {
        return facts.openIntents().stream().anyMatch(o -> i.id().equals(o.instance()));
    }

    /** An ignored or stopped instance is left to the person who said so (R7). */
    private static Repair fix(Rows.Instance i) {
        if (i.ignored()) {
            return new Repair.ByHand("it is ignored: unignore it first");
        }
        return i.state().equals("started")
                ? new Repair.Fix(i.id(), false)
                : new Repair.ByHand("it is " + i.state() + ": start it");
    }

    // --- VMs

    private void vm(Rows.Vm vm) {
        Rows.Instance i = instances.get(vm.instance());
        String cid = vm.cid().value();
        if (i == null || busy.contains(cid) || busy.contains(vm.agent().value())) {
            return;
        }
        VmEvidence evidence = facts.evidence().getOrDefault(vm.cid(), VmEvidence.PRESENT);
        switch (evidence) {
            case GONE -> missing(vm, i);
            case STOPPED -> found("vm-off", cid, i, "running", "switched off", fix(i));
            case RUNNING, PRESENT -> {
                if (vm.active()) {
                    agent(vm, i);
                } else {
                    found(
                            "vm-inactive",
                            cid,
                            i,
                            "one VM for the instance",
                            "a second one, that stands for it no more",
                            held(vm.cid()).isEmpty()
                                    ? new Repair.DeleteVm(vm.cid())
                                    : new Repair.ByHand(
                                            "it holds "
                                                    + held(vm.cid())
                                                    + ": look which of the two is in use"));
                }
                addresses(vm, i);
                metadata(vm, i);
            }
        }
    }

    private void missing(Rows.Vm vm, Rows.Instance i) {
        boolean wanted = vm.active() && i.state().equals("started") && !i.ignored();
        found(
                "vm-missing",
                vm.cid().value(),
                i,
                "a VM in the cloud",
                "the cloud has none",
                wanted ? fix(i) : new Repair.ForgetVm(vm));
    }

    private void agent(Rows.Vm vm, Rows.Instance i) {
        String cid = vm.cid().value();
        Facts.Heard heard = facts.agents().get(vm.agent());
        if (heard == null) {
            return; // nobody asked it
        }
        Map<String, Object> state = heard.state();
        if (state == null) {
            boolean mayAct = !i.ignored() && i.state().equals("started");
            found(
                    "agent-silent",
                    cid,
                    i,
                    "agent " + vm.agent() + " answers",
                    heard.error(),
                    mayAct ? new Repair.Fix(i.id(), true) : fix(i));
            return;
        }
        Fields said = Fields.of(state, "agent state");
        String id = said.string("id", "");
        if (!id.isEmpty() && !id.equals(i.id().value())) {
            found(
                    "agent-identity",
                    cid,
                    i,
                    "its agent stands for " + i.id(),
                    "it says that it is " + said.string("name", "") + "/" + id,
                    new Repair.ByHand("do not repair by program: see which record is right"));
            return;
        }
        mounts(vm, i, said);
        if (i.state().equals("started") && !said.string("job_state", "").equals("running")) {
            found(
                    "containers-" + said.string("job_state", "unknown"),
                    cid,
                    i,
                    "containers running",
                    said.string("job_state", "unknown"),
                    new Repair.ByHand("berth why " + name(i) + " tells the reason"));
        }
    }

    private void mounts(Rows.Vm vm, Rows.Instance i, Fields said) {
        if (!said.has("disks") || i.state().equals("detached")) {
            return;
        }
        List<String> mounted = said.strings("disks");
        for (Rows.Disk disk : facts.disks()) {
            boolean expected =
                    i.id().equals(disk.instance())
                            && disk.active()
                            && !DiskRecords.isRaw(disk)
                            && vm.cid().equals(disk.attachedTo());
            if (expected
                    && !mounted.contains(disk.cid().value())
                    && !busy.contains(disk.cid().value())) {
                found(
                        "disk-unmounted",
                        disk.cid().value(),
                        i,
                        "mounted and proven in " + vm.cid(),
                        "its agent does not name it",
                        fix(i));
            }
        }
    }

    private void addresses(Rows.Vm vm, Rows.Instance i) {
        Map<String, Object> networks = Fields.of(vm.shape(), "shape").object("networks").tree();
        networks.forEach((network, settings) -> {
            String address = Fields.of(settings, "network").string("ip", "");
            Rows.Ip row =
                    facts.ips().stream()
                            .filter(ip -> ip.address().equals(address))
                            .findFirst()
                            .orElse(null);
            if (address.isEmpty() || row != null && row.instance().equals(i.id())) {
                return;
            }
            found(
                    "address-unreserved",
                    address,
                    i,
                    "reserved for " + name(i),
                    row == null ? "free for anybody" : "reserved for instance " + row.instance(),
                    row == null
                            ? new Repair.ReserveAddress(
                                    new Rows.Ip(address, network, i.id(), false))
                            : new Repair.ByHand(
                                    "two instances have one address: recreate one of them"));
        });
    }

    /** What the cloud has to know of a VM so that it can be found again without the store. */
    private void metadata(Rows.Vm vm, Rows.Instance i) {
        CloudObject object = cloudVms.get(vm.cid().value());
        if (object == null || !vm.active()) {
            return;
        }
        Map<String, String> wanted = metadata(i);
        var addresses = new TreeMap<String, String>();
        facts.ips().stream()
                .filter(ip -> ip.instance().equals(i.id()))
                .forEach(ip -> addresses.put(ip.network(), ip.address()));
        wanted.putAll(places(i.az(), addresses));
        List<String> wrong =
                wanted.entrySet().stream()
                        .filter(e -> !e.getValue().equals(object.metadata().get(e.getKey())))
                        .map(Map.Entry::getKey)
                        .sorted()
                        .toList();
        if (!wrong.isEmpty()) {
            var whole = new LinkedHashMap<>(object.metadata());
            whole.putAll(wanted);
            found(
                    "vm-metadata",
                    vm.cid().value(),
                    i,
                    "the cloud knows whose VM it is",
                    String.join(", ", wrong) + " missing or other",
                    new Repair.SetMetadata(vm.cid(), whole));
        }
    }

    /**
     * @param addresses network to address
     */
    static Map<String, String> places(@Nullable String az, Map<String, String> addresses) {
        var places = new LinkedHashMap<String, String>();
        if (az != null && !az.isEmpty()) {
            places.put("az", az);
        }
        if (!addresses.isEmpty()) {
            places.put(
                    "addresses",
                    new TreeMap<>(addresses)
                            .entrySet().stream()
                                    .map(e -> e.getKey() + "=" + e.getValue())
                                    .collect(Collectors.joining(",")));
        }
        return places;
    }

    static Map<String, String> metadata(Rows.Instance i) {
        return new LinkedHashMap<>(
                Map.of(
                        "deployment",
                        i.deployment(),
                        "id",
                        i.id().value(),
                        "job",
                        i.group(),
                        "index",
                        String.valueOf(i.index())));
    }

    /** Disks that the cloud says a VM has. */
    private List<String> held(VmCid vm) {
        return cloudDisks.values().stream()
                .filter(d -> vm.equals(d.attachedTo()))
                .map(CloudObject::cid)
                .toList();
    }

    // --- disks

    private void disk(Rows.Disk disk) {
        String cid = disk.cid().value();
        Rows.Instance i = disk.instance() == null ? null : instances.get(disk.instance());
        if (facts.inventory() == null || busy.contains(cid)) {
            return;
        }
        CloudObject real = cloudDisks.get(cid);
        if (real == null) {
            found(
                    "disk-missing",
                    cid,
                    i,
                    "a disk in the cloud",
                    "the cloud has none",
                    new Repair.ForgetDisk(disk.cid(), i != null));
            return;
        }
        holder(disk, real, i);
        if (real.sizeMb() > 0 && real.sizeMb() != disk.sizeMb()) {
            found(
                    "disk-size",
                    cid,
                    i,
                    disk.sizeMb() + " MiB",
                    real.sizeMb() + " MiB",
                    new Repair.ByHand("deploy again: the growth goes on"));
        }
    }

    private void holder(Rows.Disk disk, CloudObject real, Rows.@Nullable Instance i) {
        VmCid recorded = disk.attachedTo();
        VmCid holder = existing(real.attachedTo());
        if (Objects.equals(recorded, holder)
                || holder != null && busy.contains(holder.value())
                || recorded != null && busy.contains(recorded.value())) {
            return;
        }
        Repair repair;
        if (holder != null) {
            repair = new Repair.RecordHolder(disk.cid(), holder); // to be careful is never wrong
        } else if (i != null && ownVm(i) != null && Objects.equals(recorded, ownVm(i))) {
            // Recorded as held by a VM that does not have it: attaching again settles both.
            repair = fix(i);
        } else {
            repair = new Repair.RecordHolder(disk.cid(), null);
        }
        found(
                "disk-attachment",
                disk.cid().value(),
                i,
                recorded == null ? "attached to none" : "attached to " + recorded,
                holder == null ? "the cloud says: to none" : "the cloud says: to " + holder,
                repair);
    }

    private @Nullable VmCid ownVm(Rows.Instance i) {
        return facts.vms().stream()
                .filter(v -> v.instance().equals(i.id()) && v.active())
                .map(Rows.Vm::cid)
                .findFirst()
                .orElse(null);
    }

    /** A cloud may name a VM that is gone: what that held is free. */
    private @Nullable VmCid existing(@Nullable VmCid vm) {
        return vm != null && cloudVms.containsKey(vm.value()) ? vm : null;
    }

    // --- what only the cloud knows

    private void strangers() {
        Set<String> vms =
                facts.vms().stream().map(v -> v.cid().value()).collect(Collectors.toSet());
        Set<String> disks =
                facts.disks().stream().map(d -> d.cid().value()).collect(Collectors.toSet());
        cloudVms.values().stream()
                .filter(vm -> !vms.contains(vm.cid()) && !isBusy(vm))
                .forEach(this::strangeVm);
        cloudDisks.values().stream()
                .filter(disk -> !disks.contains(disk.cid()) && !isBusy(disk))
                .forEach(disk ->
                        stranger(
                                "disk-unrecorded",
                                disk,
                                disk.sizeMb()
                                        + " MiB"
                                        + told(disk, "instance_group", "instance_id"),
                                new Repair.AdoptDisk(new DiskCid(disk.cid()))));
    }

    private boolean isBusy(CloudObject object) {
        return busy.contains(object.cid())
                || busy.contains(object.requestId())
                || object.agent() != null && busy.contains(object.agent().value());
    }

    private void strangeVm(CloudObject vm) {
        var cid = new VmCid(vm.cid());
        List<String> held = held(cid);
        stranger(
                "vm-unrecorded",
                vm,
                (held.isEmpty() ? "a VM without a disk" : "a VM with " + held)
                        + told(vm, "job", "id"),
                held.isEmpty()
                        ? new Repair.DeleteVm(cid)
                        : new Repair.ByHand(
                                "it holds "
                                        + String.join(", ", held)
                                        + ": was the store lost or set back? then berth recover;"
                                        + " else save what is on the disk before you delete the VM"));
    }

    private void stranger(String kind, CloudObject object, String found, Repair repair) {
        String deployment = object.metadata().getOrDefault("deployment", "");
        findings.add(new Finding(kind, object.cid(), deployment, "", "a record", found, repair));
    }

    private static String told(CloudObject object, String group, String id) {
        Map<String, String> m = object.metadata();
        return m.containsKey(id)
                ? ", labelled " + m.getOrDefault(group, "?") + "/" + m.get(id)
                : ", labelled with no instance";
    }
}

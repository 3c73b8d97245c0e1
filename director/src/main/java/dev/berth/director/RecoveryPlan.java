package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.director.InstanceRecord.Part;
import dev.berth.director.InstanceRecord.Shared;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a lost store, from what the cloud has and what agents keep. Pure. What is there is
 * the cloud's word; what it is for is the agents'. A VM whose agent keeps no record is known by its
 * labels alone, and a disk that nobody claims becomes an orphan.
 *
 * @param deployments with what each was made from
 * @param spares spare VMs of pools
 * @param notes for the operator: what could not be rebuilt wholly
 */
record RecoveryPlan(
        List<Shared> deployments,
        List<Part> instances,
        List<Rows.Disk> orphans,
        List<Spare> spares,
        List<Note> notes) {
    /** One that no pool knows any more: it goes, and its pool makes another. */
    record Spare(Rows.Spare row, List<Rows.Ip> ips) {}

    /** A line of the report. */
    record Note(String kind, String subject, String text) {
        Map<String, Object> toTree() {
            return Json.of("kind", kind, "subject", subject, "text", text);
        }
    }

    /**
     * @param record null: it keeps none, or did not answer
     * @param state {@code get_state}; empty when it did not answer
     * @param error why there is no record; empty when there is one
     */
    record Told(@Nullable InstanceRecord record, Map<String, Object> state, String error) {}

    static RecoveryPlan of(
            List<CloudObject> inventory, Map<AgentId, Told> agents, String director, Instant now) {
        return new Maker(inventory, agents, director, now).plan();
    }

    private static final class Maker {
        private final List<CloudObject> vms;
        private final Map<String, CloudObject> disks = new LinkedHashMap<>();
        private final Map<AgentId, Told> agents;
        private final String director;
        private final Instant now;
        private final Map<String, InstanceRecord> newest = new LinkedHashMap<>();
        private final Map<InstanceId, Part> parts = new LinkedHashMap<>();
        private final Set<DiskCid> claimed = new HashSet<>();
        private final Set<String> addresses = new HashSet<>();
        private final List<Spare> spares = new ArrayList<>();
        private final List<Note> notes = new ArrayList<>();

        Maker(
                List<CloudObject> inventory,
                Map<AgentId, Told> agents,
                String director,
                Instant now) {
            this.vms =
                    inventory.stream()
                            .filter(o -> o.kind() == CloudObject.Kind.VM)
                            .sorted(Comparator.comparing(CloudObject::cid))
                            .toList();
            inventory.stream()
                    .filter(o -> o.kind() == CloudObject.Kind.DISK)
                    .sorted(Comparator.comparing(CloudObject::cid))
                    .forEach(o -> disks.put(o.cid(), o));
            this.agents = agents;
            this.director = director;
            this.now = now;
        }

        RecoveryPlan plan() {
            for (CloudObject vm : vms) {
                InstanceRecord record = record(vm);
                if (record != null) {
                    newest.merge(
                            record.shared().deployment().name(),
                            record,
                            (a, b) -> b.at().isAfter(a.at()) ? b : a);
                }
            }
            vms.stream().filter(vm -> record(vm) != null).forEach(this::recorded);
            newest.values().forEach(r -> r.shared().absent().forEach(this::absent));
            vms.stream().filter(vm -> record(vm) == null).forEach(this::labelled);
            var shared =
                    new ArrayList<>(newest.values().stream().map(InstanceRecord::shared).toList());
            parts.values().stream()
                    .map(p -> p.instance().deployment())
                    .distinct()
                    .filter(name -> !newest.containsKey(name))
                    .forEach(name -> shared.add(unknown(name)));
            return new RecoveryPlan(shared, List.copyOf(parts.values()), orphans(), spares, notes);
        }

        private void note(String kind, String subject, String text) {
            notes.add(new Note(kind, subject, text));
        }

        /** Null: there is none that counts. */
        private @Nullable InstanceRecord record(CloudObject vm) {
            Told told = vm.agent() == null ? null : agents.get(vm.agent());
            InstanceRecord record = told == null ? null : told.record();
            return record != null && record.director().equals(director) ? record : null;
        }

        // --- instances

        private void recorded(CloudObject vm) {
            InstanceRecord record = Objects.requireNonNull(record(vm));
            Part own = record.own();
            Part there = parts.get(own.instance().id());
            Rows.Vm row = row(vm, own);
            if (there != null) {
                there.vms().add(inactive(row));
                note(
                        "vm-second",
                        vm.cid(),
                        "a second VM of "
                                + name(own.instance())
                                + "; look with berth doctor which is in use");
                return;
            }
            parts.put(
                    own.instance().id(),
                    new Part(
                            own.instance(),
                            new ArrayList<>(List.of(row)),
                            own.disks().stream().flatMap(d -> claim(d).stream()).toList(),
                            own.ips().stream().filter(ip -> addresses.add(ip.address())).toList()));
        }

        /** Of a VM that was replaced after its record was kept the shape is the same. */
        private static Rows.Vm row(CloudObject vm, Part own) {
            Rows.Vm known =
                    own.vms().stream()
                            .filter(v -> v.cid().value().equals(vm.cid()))
                            .findFirst()
                            .orElseGet(() ->
                                    own.vms().stream()
                                            .filter(Rows.Vm::active)
                                            .findFirst()
                                            .orElse(null));
            if (known == null) {
                return bare(vm, own.instance().id(), Json.of("welcomed", true), Instant.EPOCH);
            }
            return new Rows.Vm(
                    Objects.requireNonNull(vm.agent()),
                    new VmCid(vm.cid()),
                    known.instance(),
                    known.cpi(),
                    known.shape(),
                    true,
                    known.permanentCredentials(),
                    known.createdAt());
        }

        private static Rows.Vm bare(
                CloudObject vm, InstanceId instance, Map<String, Object> shape, Instant at) {
            return new Rows.Vm(
                    Objects.requireNonNull(vm.agent()),
                    new VmCid(vm.cid()),
                    instance,
                    "",
                    shape,
                    true,
                    false,
                    at);
        }

        private static Rows.Vm inactive(Rows.Vm vm) {
            return new Rows.Vm(
                    vm.agent(),
                    vm.cid(),
                    vm.instance(),
                    vm.cpi(),
                    vm.shape(),
                    false,
                    vm.permanentCredentials(),
                    vm.createdAt());
        }

        private void absent(Part part) {
            parts.computeIfAbsent(
                    part.instance().id(),
                    id ->
                            new Part(
                                    part.instance(),
                                    new ArrayList<>(),
                                    part.disks().stream().flatMap(d -> claim(d).stream()).toList(),
                                    part.ips().stream()
                                            .filter(ip -> addresses.add(ip.address()))
                                            .toList()));
        }

        /** As it is now; empty: the cloud has it no more. */
        private java.util.Optional<Rows.Disk> claim(Rows.Disk disk) {
            CloudObject real = disks.get(disk.cid().value());
            if (real == null) {
                note("disk-gone", disk.cid().value(), "recorded, and the cloud has it no more");
                return java.util.Optional.empty();
            }
            return claimed.add(disk.cid())
                    ? java.util.Optional.of(disk.heldBy(holder(real)))
                    : java.util.Optional.empty();
        }

        private @Nullable VmCid holder(CloudObject disk) {
            VmCid vm = disk.attachedTo();
            return vm != null && vms.stream().anyMatch(v -> v.cid().equals(vm.value())) ? vm : null;
        }

        /** Enough to list it and to replace it by the next deploy, not to leave it untouched. */
        private void labelled(CloudObject vm) {
            Map<String, String> labels = vm.metadata();
            String deployment = labels.getOrDefault("deployment", "");
            String id = labels.getOrDefault("id", "");
            String why = why(vm);
            if (id.isEmpty() && labels.containsKey(SpareActs.LABEL) && vm.agent() != null) {
                spare(vm, vm.agent());
                return;
            }
            if (deployment.isEmpty() || id.isEmpty() || vm.agent() == null) {
                note("vm-unknown", vm.cid(), "labelled with no instance, so left alone; " + why);
                return;
            }
            var instance = new InstanceId(id);
            Map<String, Object> shape = Json.of("welcomed", true, "networks", networks(vm));
            Part there = parts.get(instance);
            if (there != null) {
                boolean second = there.vms().stream().anyMatch(Rows.Vm::active);
                Rows.Vm row = bare(vm, instance, shape, now);
                there.vms().add(second ? inactive(row) : row);
                return;
            }
            note(
                    "by-labels",
                    labels.getOrDefault("job", "?") + "/" + id,
                    "rebuilt from labels alone (" + why + "): the next deploy replaces its VM");
            var row =
                    new Rows.Instance(
                            instance,
                            deployment,
                            labels.getOrDefault("job", "unknown"),
                            index(labels.getOrDefault("index", "0")),
                            labels.get("az"),
                            "started",
                            false,
                            false,
                            false,
                            Map.of(),
                            now);
            parts.put(
                    instance,
                    new Part(
                            row,
                            new ArrayList<>(List.of(bare(vm, instance, shape, now))),
                            labelledDisks(vm, row),
                            ips(vm, instance)));
        }

        /** What it was made from nobody knows any more. Should it have a disk, it stays. */
        private void spare(CloudObject vm, AgentId agent) {
            String pool = vm.metadata().getOrDefault(SpareActs.LABEL, "");
            spares.add(
                    new Spare(
                            new Rows.Spare(
                                    agent,
                                    new VmCid(vm.cid()),
                                    pool,
                                    Rows.Spare.LEAVING,
                                    Map.of(),
                                    "",
                                    now),
                            ips(vm, new InstanceId(agent.value()))));
            note(
                    "spare-vm",
                    vm.cid(),
                    "a spare VM of pool '" + pool + "': another takes its place");
        }

        private String why(CloudObject vm) {
            Told told = vm.agent() == null ? null : agents.get(vm.agent());
            return told == null || told.error().isEmpty()
                    ? "its agent keeps no record"
                    : told.error();
        }

        private static int index(String text) {
            return text.matches("\\d{1,6}") ? Integer.parseInt(text) : 0;
        }

        private Map<String, Object> networks(CloudObject vm) {
            Told told = vm.agent() == null ? null : agents.get(vm.agent());
            Map<String, Object> said =
                    told == null
                            ? Map.of()
                            : Fields.of(told.state(), "agent state").object("networks").tree();
            if (!said.isEmpty()) {
                return said;
            }
            var labelled = new LinkedHashMap<String, Object>();
            for (String pair : vm.metadata().getOrDefault("addresses", "").split(",")) {
                int sign = pair.indexOf('=');
                if (sign > 0) {
                    labelled.put(pair.substring(0, sign), Json.of("ip", pair.substring(sign + 1)));
                }
            }
            return labelled;
        }

        private List<Rows.Ip> ips(CloudObject vm, InstanceId instance) {
            var found = new ArrayList<Rows.Ip>();
            networks(vm)
                    .forEach((network, settings) -> {
                        String address = Fields.of(settings, "network").string("ip", "");
                        if (!address.isEmpty() && addresses.add(address)) {
                            found.add(new Rows.Ip(address, network, instance, false));
                        }
                    });
            return found;
        }

        /**
         * Those that its own VM has and whose labels name the instance. Of two of a name the copy
         * is not live, as far as labels can tell: the disks themselves say before anything is
         * planned.
         */
        private List<Rows.Disk> labelledDisks(CloudObject vm, Rows.Instance i) {
            var found = new ArrayList<Rows.Disk>();
            for (CloudObject disk : disks.values()) {
                boolean own =
                        new VmCid(vm.cid()).equals(disk.attachedTo())
                                && i.id().value().equals(disk.metadata().get("instance_id"));
                if (own && claimed.add(new DiskCid(disk.cid()))) {
                    String copyOf = disk.metadata().getOrDefault("copy_of", "");
                    boolean isCopy = disks.containsKey(copyOf);
                    var tree =
                            new HashMap<>(
                                    RowTrees.toTree(
                                            DoctorRepairs.orphan(disk, i.deployment(), now)));
                    tree.remove("orphanedAt");
                    tree.put("instance", i.id().value());
                    tree.put("attachedTo", vm.cid());
                    tree.put("name", disk.metadata().getOrDefault("disk_name", ""));
                    tree.put("active", !isCopy);
                    if (isCopy) {
                        tree.put("copyOf", copyOf);
                    }
                    found.add(RowTrees.fromTree(Rows.Disk.class, tree));
                }
            }
            return found;
        }

        private static String name(Rows.Instance i) {
            return i.group() + "/" + i.id();
        }

        // --- the rest

        private List<Rows.Disk> orphans() {
            var orphans = new ArrayList<Rows.Disk>();
            for (CloudObject disk : disks.values()) {
                if (claimed.contains(new DiskCid(disk.cid()))) {
                    continue;
                }
                String deployment = disk.metadata().getOrDefault("deployment", "");
                orphans.add(DoctorRepairs.orphan(disk, deployment, now).heldBy(holder(disk)));
                note(
                        "disk-orphaned",
                        disk.cid(),
                        "no instance claims it: an orphan from now on, kept as any");
            }
            return orphans;
        }

        private Shared unknown(String name) {
            note(
                    "deployment-unknown",
                    name,
                    "no agent has its manifest: deploy it from your own copy");
            return new Shared(
                    new Rows.Deployment(name, null, List.of(), List.of(), List.of(), Map.of(), now),
                    List.of(),
                    0,
                    List.of(),
                    List.of(),
                    List.of());
        }
    }
}

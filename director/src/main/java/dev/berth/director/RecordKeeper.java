package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.director.InstanceRecord.Part;
import dev.berth.director.InstanceRecord.Shared;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Hands each agent of a deployment its {@link InstanceRecord} when that has changed, after what
 * changed it has come to its end. A record that could not be handed over fails nothing: the next
 * deploy tries again, and the doctor tells of it.
 */
final class RecordKeeper {
    /** In a VM's shape: of the record that its agent has. */
    static final String DIGEST = "record";

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int AT_ONCE = 32;

    /** A message on the bus takes a mebibyte. */
    private static final int MOST_CHARACTERS = 900_000;

    private final Hands hands;
    private final SecretBox box;

    RecordKeeper(Hands hands, SecretBox box) {
        this.hands = hands;
        this.box = box;
    }

    private record Wanted(Rows.Vm vm, Part part, String digest) {}

    private record Whole(Shared shared, List<Wanted> wanted) {}

    /** The same job, with the records handed over when it has come to its end. */
    Function<Map<String, Object>, TaskJob> after(Function<Map<String, Object>, TaskJob> job) {
        return payload ->
                task -> {
                    String result = job.apply(payload).run(task);
                    String deployment = task.deployment();
                    if (deployment != null) {
                        hand(task, deployment);
                    }
                    return result;
                };
    }

    void hand(TaskContext task, String deployment) throws Exception {
        hand(deployment, task::cancelled, task.log()::debug);
    }

    /**
     * @param tell of each that could not be handed over
     */
    void hand(String deployment, BooleanSupplier cancelled, Consumer<String> tell)
            throws Exception {
        Whole whole = hands.store().read(s -> read(s, deployment));
        if (whole.wanted().isEmpty()) {
            return;
        }
        hands.parallel()
                .forEach(whole.wanted(), AT_ONCE, w -> hand(whole.shared(), w, cancelled, tell));
    }

    private void hand(
            Shared shared, Wanted wanted, BooleanSupplier cancelled, Consumer<String> tell) {
        var record =
                new InstanceRecord(
                        hands.clock().now(), hands.directorUuid(), shared, wanted.part());
        String sealed = record.sealed(box);
        String name = wanted.part().instance().group() + "/" + wanted.part().instance().id();
        if (sealed.length() > MOST_CHARACTERS) {
            tell.accept(
                    name
                            + ": its record of "
                            + sealed.length()
                            + " characters is too large for the bus; berth recover could not"
                            + " rebuild this deployment");
            return;
        }
        try {
            hands.agents()
                    .call(wanted.vm().agent(), "keep_record", List.of(sealed), LIMIT, cancelled);
        } catch (AgentException e) {
            tell.accept(name + " has not got its record: " + e.getMessage());
            return;
        }
        hands.store()
                .update(s ->
                        s.vm(wanted.vm().agent())
                                .ifPresent(vm -> {
                                    var shape = new LinkedHashMap<>(vm.shape());
                                    shape.put(DIGEST, wanted.digest());
                                    s.saveVm(vm.ofShape(shape));
                                }));
    }

    /** Those whose agents have another record than they should. */
    private Whole read(StoreSession s, String deployment) {
        Rows.Deployment row = s.deployment(deployment).orElse(null);
        if (row == null || row.manifest() == null) {
            return new Whole(emptyShared(deployment), List.of());
        }
        List<Part> parts = parts(s, deployment);
        Shared shared = shared(s, row, parts);
        String common = shared.digest();
        var wanted = new ArrayList<Wanted>();
        for (Part part : parts) {
            String digest = InstanceRecord.digest(common, part);
            part.vms().stream()
                    .filter(Rows.Vm::active)
                    .filter(vm -> Boolean.TRUE.equals(vm.shape().get("welcomed")))
                    .filter(vm -> !digest.equals(vm.shape().get(DIGEST)))
                    .forEach(vm -> wanted.add(new Wanted(vm, part, digest)));
        }
        return new Whole(shared, wanted);
    }

    private static Shared emptyShared(String deployment) {
        return new Shared(
                new Rows.Deployment(
                        deployment,
                        null,
                        List.of(),
                        List.of(),
                        List.of(),
                        Map.of(),
                        java.time.Instant.EPOCH),
                List.of(),
                0,
                List.of(),
                List.of(),
                List.of());
    }

    /** A few queries, whatever the number of instances. */
    private static List<Part> parts(StoreSession s, String deployment) {
        List<Rows.Vm> vms = s.vmsOf(deployment);
        List<Rows.Disk> disks = s.disksOf(deployment);
        List<Rows.Ip> ips = s.ips();
        var byInstance = new LinkedHashMap<dev.berth.model.InstanceId, Part>();
        for (Rows.Instance i : s.instances(deployment)) {
            byInstance.put(
                    i.id(), new Part(i, new ArrayList<>(), new ArrayList<>(), new ArrayList<>()));
        }
        vms.forEach(v -> add(byInstance.get(v.instance()), p -> p.vms().add(v)));
        disks.stream()
                .filter(d -> d.instance() != null)
                .forEach(d -> add(byInstance.get(d.instance()), p -> p.disks().add(d)));
        ips.forEach(ip -> add(byInstance.get(ip.instance()), p -> p.ips().add(ip)));
        return List.copyOf(byInstance.values());
    }

    private static void add(@org.jspecify.annotations.Nullable Part part, Consumer<Part> act) {
        if (part != null) {
            act.accept(part);
        }
    }

    private Shared shared(StoreSession s, Rows.Deployment row, List<Part> parts) {
        List<Rows.Config> used =
                row.cloudConfigIds().stream().flatMap(id -> s.config(id).stream()).toList();
        List<Rows.Config> others =
                s.configs(null, null, true, 1).stream()
                        .filter(c -> used.stream().noneMatch(u -> u.id() == c.id()))
                        .toList();
        String own = "/" + hands.directorName() + "/" + row.name() + "/";
        String any = "/" + hands.directorName() + "/";
        List<Rows.Variable> variables =
                s.variables("/").stream()
                        .filter(v -> v.name().startsWith(own) || !v.name().startsWith(any))
                        .toList();
        return new Shared(
                row,
                Stream.concat(used.stream(), others.stream()).toList(),
                used.size(),
                s.stemcells(),
                variables,
                parts.stream().filter(p -> p.vms().stream().noneMatch(Rows.Vm::active)).toList());
    }

    /** Agents of a deployment that have not the record they should, by VM. */
    List<Rows.Vm> behind(StoreSession s, String deployment) {
        return read(s, deployment).wanted().stream().map(Wanted::vm).toList();
    }
}

package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.monitor.Verdict;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.AgentState.ContainerState;
import dev.berth.wire.Heartbeat;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The instances of a deployment as listings show them: what the store knows, joined with what the
 * agents last said. Reads the store once, asks no agent. Thread-safe.
 *
 * <p>Of the trees the executor keeps it reads {@code vm_type} and {@code containers} (objects with
 * {@code name}, {@code image}, {@code image_digest}) of an instance's spec, and {@code
 * cloud_properties}, {@code stemcell} ({@code name}, {@code version}, {@code api_version}) and
 * {@code vm_type} of a VM's shape.
 */
final class Fleet {
    private final Store store;
    private final FleetView view;
    private final Clock clock;

    Fleet(Store store, FleetView view, Clock clock) {
        this.store = store;
        this.view = view;
        this.clock = clock;
    }

    /** All rows of one deployment. */
    private record Snapshot(
            List<Rows.Instance> instances,
            Map<InstanceId, List<Rows.Vm>> vms,
            Map<InstanceId, List<Rows.Disk>> disks,
            Map<InstanceId, List<Rows.Ip>> ips) {
        List<Rows.Vm> vms(Rows.Instance instance) {
            return vms.getOrDefault(instance.id(), List.of());
        }

        Rows.@Nullable Vm activeVm(Rows.Instance instance) {
            return vms(instance).stream().filter(Rows.Vm::active).findFirst().orElse(null);
        }

        List<String> ips(Rows.Instance instance) {
            return ips.getOrDefault(instance.id(), List.of()).stream()
                    .map(Rows.Ip::address)
                    .toList();
        }
    }

    private Snapshot snapshot(String deployment) {
        return store.read(s ->
                new Snapshot(
                        s.instances(deployment),
                        grouped(s.vmsOf(deployment), Rows.Vm::instance),
                        grouped(s.disksOf(deployment), Rows.Disk::instance),
                        grouped(s.ips(), Rows.Ip::instance)));
    }

    private static <T> Map<InstanceId, List<T>> grouped(
            List<T> rows, Function<T, @Nullable InstanceId> instance) {
        var groups = new HashMap<InstanceId, List<T>>();
        for (T row : rows) {
            InstanceId id = instance.apply(row);
            if (id != null) {
                groups.computeIfAbsent(id, ignored -> new ArrayList<>()).add(row);
            }
        }
        return groups;
    }

    /** One object per instance, also without a VM, in the full form. */
    List<Map<String, Object>> instances(String deployment) {
        Snapshot all = snapshot(deployment);
        return all.instances().stream()
                .map(instance -> full(all, instance, all.activeVm(instance)))
                .toList();
    }

    /** One object per VM, in the full form. */
    List<Map<String, Object>> vms(String deployment) {
        Snapshot all = snapshot(deployment);
        return all.instances().stream()
                .flatMap(instance -> all.vms(instance).stream().map(vm -> full(all, instance, vm)))
                .toList();
    }

    private Map<String, Object> full(Snapshot all, Rows.Instance instance, Rows.@Nullable Vm vm) {
        List<Rows.Disk> live =
                all.disks().getOrDefault(instance.id(), List.of()).stream()
                        .filter(Rows.Disk::active)
                        .toList();
        List<String> disks = live.stream().map(Rows.Disk::cid).map(DiskCid::value).toList();
        Heartbeat beat = vm == null ? null : view.lastHeartbeat(vm.agent()).orElse(null);
        boolean responsive = vm != null && view.responsive(vm.agent());
        var json = new LinkedHashMap<String, @Nullable Object>();
        json.put("vm_cid", vm == null ? null : vm.cid().value());
        json.put("active", vm == null ? null : vm.active());
        json.put("vm_created_at", vm == null ? null : Times.rfc3339(vm.createdAt()));
        json.put("cloud_properties", vm == null ? null : vm.shape().get("cloud_properties"));
        json.put("disk_cid", managed(live));
        json.put("disk_cids", disks);
        json.put("disk_sizes", by(live, Rows.Disk::sizeMb));
        if (live.stream().anyMatch(d -> !d.name().isEmpty())) {
            json.put("disk_names", by(live, Rows.Disk::name));
        }
        json.put("ips", all.ips(instance));
        json.put("agent_id", vm == null ? null : vm.agent().value());
        json.put("job_name", instance.group());
        json.put("index", instance.index());
        Optional<Verdict> verdict = view.verdict(instance.id());
        boolean stands = vm != null && vm.active(); // the verdict is of the VM that stands for it
        json.put(
                "job_state",
                vm == null
                        ? null
                        : jobState(beat, responsive, stands ? verdict : Optional.empty()));
        json.put("state", instance.state());
        json.put("vm_type", vmType(instance, vm));
        Heartbeat fresh = responsive ? beat : null;
        json.put("vitals", fresh == null ? null : Vitals.vm(fresh.tree().get("vitals")));
        json.put("processes", fresh == null ? null : Vitals.processes(fresh, clock.now()));
        json.put("az", instance.az());
        json.put("id", instance.id().value());
        json.put("bootstrap", instance.bootstrap());
        json.put("ignore", instance.ignored());
        json.put("stemcell", stemcell(vm));
        json.put("verdict", verdict.map(Verdict::text).orElse(null));
        json.put("waiting_for", view.waitingFor(instance.id()));
        return Json.asObject(json);
    }

    private static @Nullable String managed(List<Rows.Disk> disks) {
        return disks.stream()
                .filter(d -> d.name().isEmpty())
                .map(d -> d.cid().value())
                .findFirst()
                .orElse(null);
    }

    /** Berth's own: MiB and names by cid. */
    private static Map<String, Object> by(List<Rows.Disk> disks, Function<Rows.Disk, Object> what) {
        return disks.stream().collect(Collectors.toMap(d -> d.cid().value(), what));
    }

    /**
     * An agent says that all runs that it knows of: whether that is all there should be, on the
     * disks it should be on, the judge says.
     */
    private static String jobState(
            @Nullable Heartbeat beat, boolean responsive, Optional<Verdict> verdict) {
        if (beat == null || !responsive) {
            return "unresponsive agent";
        }
        boolean lacking = verdict.filter(v -> v instanceof Verdict.Degraded).isPresent();
        return lacking && beat.jobState().equals("running") ? "failing" : beat.jobState();
    }

    private static @Nullable String vmType(Rows.Instance instance, Rows.@Nullable Vm vm) {
        Object type = instance.spec().get("vm_type");
        if (type == null && vm != null) {
            type = vm.shape().get("vm_type");
        }
        return type instanceof String text ? text : null;
    }

    private static Map<String, Object> stemcell(Rows.@Nullable Vm vm) {
        Map<?, ?> known =
                vm != null && vm.shape().get("stemcell") instanceof Map<?, ?> map ? map : Map.of();
        Object version = known.get("version");
        return Json.of(
                "name",
                known.get("name") instanceof String name ? name : null,
                "version",
                version == null ? null : version.toString(),
                "api_version",
                known.get("api_version") instanceof Number number ? number.longValue() : null);
    }

    /** The short form of {@code GET /deployments/D/vms}. */
    List<Map<String, Object>> shortVms(String deployment) {
        Snapshot all = snapshot(deployment);
        var result = new ArrayList<Map<String, Object>>();
        for (Rows.Instance instance : all.instances()) {
            for (Rows.Vm vm : all.vms(instance)) {
                Map<String, Object> json = brief(all, instance, vm);
                json.put("active", vm.active());
                json.put("permanent_nats_credentials", vm.permanentCredentials());
                result.add(json);
            }
        }
        return result;
    }

    /** The short form of {@code GET /deployments/D/instances}. */
    List<Map<String, Object>> shortInstances(String deployment) {
        Snapshot all = snapshot(deployment);
        var result = new ArrayList<Map<String, Object>>();
        for (Rows.Instance instance : all.instances()) {
            Map<String, Object> json = brief(all, instance, all.activeVm(instance));
            json.put("expects_vm", !instance.state().equals("detached"));
            result.add(json);
        }
        return result;
    }

    private static Map<String, Object> brief(
            Snapshot all, Rows.Instance instance, Rows.@Nullable Vm vm) {
        return Json.of(
                "agent_id",
                vm == null ? null : vm.agent().value(),
                "cid",
                vm == null ? null : vm.cid().value(),
                "job",
                instance.group(),
                "index",
                instance.index(),
                "id",
                instance.id().value(),
                "az",
                instance.az(),
                "ips",
                all.ips(instance),
                "vm_created_at",
                vm == null ? null : Times.rfc3339(vm.createdAt()));
    }

    /** Every container of a deployment as its agent last saw it, and those nobody has seen yet. */
    List<Map<String, Object>> containers(String deployment) {
        Snapshot all = snapshot(deployment);
        var result = new ArrayList<Map<String, Object>>();
        for (Rows.Instance instance : all.instances()) {
            Rows.Vm vm = all.activeVm(instance);
            Optional<Heartbeat> beat =
                    vm == null ? Optional.empty() : view.lastHeartbeat(vm.agent());
            boolean responsive = vm != null && view.responsive(vm.agent());
            Map<String, ContainerState> seen = new LinkedHashMap<>();
            List<ContainerState> told = beat.map(Heartbeat::containers).orElse(null);
            if (told != null) {
                told.forEach(container -> seen.put(container.name(), container));
            }
            seen.values().forEach(c -> result.add(container(instance, vm, responsive, c)));
            String why = vm == null ? "the instance has no VM" : "the agent has not told of it yet";
            wanted(instance).stream()
                    .filter(c -> !seen.containsKey(c.name()))
                    .forEach(c -> result.add(container(instance, vm, responsive, c.because(why))));
        }
        return result;
    }

    private record Wanted(String name, String image, @Nullable String digest) {
        ContainerState because(String reason) {
            return new ContainerState(
                    name, image, digest, "unknown", "", "", null, 0, 0, null, false, reason, "", 0);
        }
    }

    private static List<Wanted> wanted(Rows.Instance instance) {
        if (!(instance.spec().get("containers") instanceof List<?> list)) {
            return List.of();
        }
        return list.stream()
                .filter(Map.class::isInstance)
                .map(Json::asObject)
                .filter(c -> c.get("name") instanceof String)
                .map(c ->
                        new Wanted(
                                String.valueOf(c.get("name")),
                                c.get("image") instanceof String i ? i : "",
                                c.get("image_digest") instanceof String d ? d : null))
                .sorted(Comparator.comparing(Wanted::name))
                .toList();
    }

    private static Map<String, Object> container(
            Rows.Instance instance,
            Rows.@Nullable Vm vm,
            boolean responsive,
            ContainerState state) {
        Map<String, Object> json =
                Json.of(
                        "instance",
                        instance.group() + "/" + instance.id(),
                        "group",
                        instance.group(),
                        "id",
                        instance.id().value(),
                        "index",
                        instance.index(),
                        "vm_cid",
                        vm == null ? null : vm.cid().value(),
                        "agent_responsive",
                        responsive);
        json.putAll(state.toTree());
        return json;
    }
}

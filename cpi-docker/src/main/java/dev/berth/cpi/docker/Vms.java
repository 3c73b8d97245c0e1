package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;

/** VMs: one system container, one folder and one volume each, all named after the agent. */
final class Vms {
    private static final System.Logger LOG = System.getLogger(Vms.class.getName());
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Engine engine;
    private final Base base;
    private final FileLocks locks;
    private final Networks networks;
    private final Disks disks;
    private final HostFacts host;
    private final Executor later;

    Vms(
            Engine engine,
            Base base,
            FileLocks locks,
            Networks networks,
            Disks disks,
            HostFacts host,
            Executor later) {
        this.engine = engine;
        this.base = base;
        this.locks = locks;
        this.networks = networks;
        this.disks = disks;
        this.host = host;
        this.later = later;
    }

    /** What create_vm was asked for. */
    record Order(
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            Map<String, Object> env) {
        /** Known before anything is made, so that a crash leaves nothing nameless. */
        VmCid vm() {
            return new VmCid(Base.name("vm-" + agent.value()));
        }
    }

    VmCid create(CpiContext context, Order order) {
        VmCid vm = order.vm();
        VmSpec spec = VmSpec.fromTree(order.cloudProperties());
        try (var lock = lock(vm)) {
            if (has(vm)) {
                throw new CpiException(Type.CLOUD_ERROR, "VM " + vm + " exists already");
            }
            if (Files.exists(base.remains(vm))) {
                clear(vm);
            }
            if (Files.exists(base.vm(vm))) {
                // What a call that died here left behind; nothing of it ever ran.
                removeRemains(vm);
            }
            try {
                make(context, order, spec);
            } catch (EngineException | CpiException | IllegalArgumentException e) {
                throw failed(vm, e);
            }
        }
        return vm;
    }

    private void make(CpiContext context, Order order, VmSpec spec) {
        VmCid vm = order.vm();
        List<VmBody.Attachment> attachments = attachments(context, order.networks());
        Map<String, String> labels = labels(context, order);
        Records.createFolder(base.devices(vm));
        Records.write(base.vmRecord(vm), new VmRecord(context, order.agent(), Map.of()).toTree());
        Fields agent = Fields.of(context.properties(), "context").object("agent");
        Records.write(
                base.settings(vm),
                VmBody.settings(order.agent(), vm, order.networks(), order.env(), agent.tree()));
        engine.createVolume(Json.of("Name", volume(vm), "Labels", volumeLabels(labels, spec)));
        engine.createContainer(
                vm.value(),
                VmBody.container(
                        vm,
                        Stemcells.reference(context, order.stemcell()),
                        spec,
                        attachments.getFirst(),
                        labels,
                        binds(vm),
                        host.capabilities(),
                        VmBody.hosts(order.env())));
        for (VmBody.Attachment more : attachments.subList(1, attachments.size())) {
            engine.connectNetwork(
                    more.network(),
                    Json.of("Container", vm.value(), "EndpointConfig", more.endpoint()));
        }
        engine.startContainer(vm.value());
        if (evidence(vm) != VmEvidence.RUNNING) {
            throw new CpiException(
                    Type.CLOUD_ERROR,
                    "the VM ended at once; it said: " + engine.logs(vm.value(), 20));
        }
    }

    List<VmBody.Attachment> attachments(CpiContext context, Map<String, Object> wanted) {
        var attachments = new ArrayList<VmBody.Attachment>();
        for (var entry : VmBody.ordered(wanted)) {
            Fields network = entry.getValue();
            if (network.string("type", "manual").equals("vip")) {
                throw new CpiException(
                        Type.NOT_SUPPORTED,
                        "networks."
                                + entry.getKey()
                                + ": vip networks are not supported; publish ports with cloud_properties.ports");
            }
            attachments.add(
                    new VmBody.Attachment(
                            networks.ensureFor(context, entry.getKey(), network),
                            network.string("ip", "")));
        }
        if (attachments.isEmpty()) {
            throw new CpiException(Type.CPI_ERROR, "networks: a VM needs at least one");
        }
        return attachments;
    }

    private static Map<String, String> labels(CpiContext context, Order order) {
        Map<String, String> labels = Labels.of(context, "vm", order.vm().value());
        labels.put(Labels.AGENT, order.agent().value());
        labels.put(Labels.STEMCELL, order.stemcell().value());
        Fields.of(order.env(), "env")
                .object("bosh")
                .stringMap("tags")
                .forEach((name, value) -> labels.put(Labels.TAG + name, value));
        return labels;
    }

    private static Map<String, String> volumeLabels(Map<String, String> vm, VmSpec spec) {
        var labels = new LinkedHashMap<>(vm);
        labels.put(Labels.KIND, "ephemeral");
        labels.put("berth.size_mb", String.valueOf(spec.ephemeralDiskMb()));
        return labels;
    }

    private static String volume(VmCid vm) {
        return vm.value() + "-data";
    }

    private List<String> binds(VmCid vm) {
        return List.of(
                base.settings(vm) + ":" + VmBody.SETTINGS + ":ro",
                base.devices(vm) + ":/dev/berth",
                volume(vm) + ":/var/vcap/data");
    }

    /** Removes what was made; only when that is certain may the caller try again. */
    private CpiException failed(VmCid vm, RuntimeException cause) {
        try {
            removeRemains(vm);
        } catch (EngineException | CpiException e) {
            cause.addSuppressed(e);
            return new CpiException(
                    Type.UNKNOWN,
                    "VM "
                            + vm
                            + ": "
                            + cause.getMessage()
                            + "; and what was made could not be removed: "
                            + e.getMessage(),
                    false,
                    cause);
        }
        String message = String.valueOf(cause.getMessage());
        if (cause instanceof CpiException typed
                && (typed.type() == Type.NO_DISK_SPACE || typed.type() == Type.NETWORK_NOT_FOUND)) {
            return typed;
        }
        if (message.contains("no space left on device")) {
            return new CpiException(Type.NO_DISK_SPACE, message, true, cause);
        }
        boolean passing =
                cause instanceof EngineException e && e.isUnknown()
                        || message.contains("ddress already in use")
                        // Another engine on this host may be setting up its own rules right now.
                        || message.contains("iptables failed");
        return new CpiException(
                Type.VM_CREATION_FAILED, "VM " + vm + ": " + message, passing, cause);
    }

    private void removeRemains(VmCid vm) {
        id(vm).ifPresent(id -> engine.removeContainer(id, true, true));
        disks.releaseAll(vm);
        engine.removeVolume(volume(vm), true);
        Records.deleteTree(base.vm(vm));
    }

    /**
     * The VM is gone and its disks are free when this returns. Its volume, whose thousands of files
     * take the engine a second or many, is only set aside: nobody may have to wait for that, least
     * of all a database on its way to the next VM. {@link #sweep} removes it.
     */
    void delete(VmCid vm) {
        try (var lock = lock(vm)) {
            boolean known = Records.read(base.vmRecord(vm)).isPresent();
            if (!has(vm) && !known) {
                throw notFound(vm);
            }
            Records.createFolder(base.vm(vm));
            Records.mark(base.deletion(vm));
            disks.thawAll(vm);
            id(vm).ifPresent(id -> engine.removeContainer(id, true, true));
            disks.releaseAll(vm);
            setAside(vm);
        }
        later.execute(this::sweep);
    }

    /** In one step, and with the mark of the deletion, which is at its end with that. */
    private void setAside(VmCid vm) {
        try {
            Records.createFolder(base.remains());
            Files.move(base.vm(vm), base.remains(vm), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw Records.failed("set aside " + base.vm(vm), e);
        }
    }

    /** Removes what deleted VMs left, also those of a process that died meanwhile. */
    void sweep() {
        for (var folder : Records.folders(base.remains())) {
            var vm = new VmCid(String.valueOf(folder.getFileName()));
            try (var lock = lock(vm)) {
                if (Files.exists(folder)) {
                    clear(vm);
                }
            } catch (EngineException | CpiException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "the volume of deleted VM "
                                + vm
                                + " is left for the next time: "
                                + e.getMessage());
            }
        }
    }

    /**
     * Emptied from here first: while the engine removes a full volume it makes no new one, and the
     * next VM would wait for exactly what was to be kept from it.
     */
    private void clear(VmCid vm) {
        var found = engine.listVolumes(Labels.query(Labels.CID, vm.value(), "ephemeral"));
        for (Map<String, Object> volume : found) {
            Path place = Path.of(Fields.of(volume, "volume").string("Mountpoint", ""));
            if (place.endsWith(Path.of(volume(vm), "_data"))) {
                Records.deleteTree(place);
            }
        }
        engine.removeVolume(volume(vm), true);
        Records.deleteTree(base.remains(vm));
    }

    /** Also while its deletion is not at its end: a caller that died in it must know to go on. */
    boolean isThere(VmCid vm) {
        return has(vm) || Files.exists(base.deletion(vm));
    }

    boolean has(VmCid vm) {
        return inspect(vm).isPresent();
    }

    /** Found by label when it was renamed: a VM is what carries the cid. */
    Optional<Map<String, Object>> inspect(VmCid vm) {
        Optional<Map<String, Object>> named = engine.inspectContainer(Base.name(vm.value()));
        if (named.isPresent()) {
            return named;
        }
        return engine.listContainers(Labels.query(Labels.CID, vm.value(), "vm"), LIMIT).stream()
                .findFirst()
                .flatMap(found -> engine.inspectContainer(String.valueOf(found.get("Id"))));
    }

    private Optional<String> id(VmCid vm) {
        return inspect(vm).map(found -> Fields.of(found, "container").string("Id"));
    }

    VmEvidence evidence(VmCid vm) {
        return inspect(vm)
                .map(found -> Fields.of(found, "container").object("State"))
                .map(Vms::evidence)
                .orElse(VmEvidence.GONE);
    }

    private static VmEvidence evidence(Fields state) {
        if (state.flag("Paused", false) || state.flag("Restarting", false)) {
            return VmEvidence.PRESENT;
        }
        return state.flag("Running", false) ? VmEvidence.RUNNING : VmEvidence.STOPPED;
    }

    void reboot(VmCid vm) {
        try (var lock = lock(vm)) {
            String id = id(vm).orElseThrow(() -> notFound(vm));
            engine.stopContainer(id, Duration.ofSeconds(VmBody.STOP_SECONDS));
            disks.showAll(vm);
            engine.startContainer(id);
        }
    }

    Map<String, Object> attach(VmCid vm, DiskCid disk) {
        try (var lock = lock(vm)) {
            if (!has(vm)) {
                throw notFound(vm);
            }
            return disks.attach(vm, disk, this::has);
        }
    }

    void detach(VmCid vm, DiskCid disk) {
        try (var lock = lock(vm)) {
            disks.detach(vm, disk);
        }
    }

    List<DiskCid> disksOf(VmCid vm) {
        if (!has(vm)) {
            throw notFound(vm);
        }
        return disks.attachedTo(vm).stream().map(DiskRecord::cid).toList();
    }

    void setMetadata(VmCid vm, Map<String, String> metadata) {
        try (var lock = lock(vm)) {
            VmRecord record =
                    Records.read(base.vmRecord(vm))
                            .map(VmRecord::fromTree)
                            .orElseThrow(() -> notFound(vm));
            Records.write(base.vmRecord(vm), record.metadata(metadata).toTree());
        }
    }

    /** By record and by label: a call that died in the middle left one without the other. */
    Map<VmCid, VmRecord> all(CpiContext context) {
        var all = new LinkedHashMap<VmCid, VmRecord>();
        for (var folder : Records.folders(base.vms())) {
            VmCid vm = new VmCid(folder.getFileName().toString());
            Records.read(base.vmRecord(vm))
                    .map(VmRecord::fromTree)
                    .filter(record -> record.director().equals(context.directorUuid()))
                    .ifPresent(record -> all.put(vm, record));
        }
        Map<String, @org.jspecify.annotations.Nullable String> mine =
                Labels.query(Labels.DIRECTOR, context.directorUuid(), "vm");
        for (Map<String, Object> container : engine.listContainers(mine, LIMIT)) {
            Map<String, String> labels = Fields.of(container, "container").stringMap("Labels");
            all.computeIfAbsent(
                    new VmCid(String.valueOf(labels.get(Labels.CID))),
                    vm -> VmRecord.fromLabels(labels));
        }
        return all;
    }

    FileLocks.Held lock(VmCid vm) {
        return locks.lock("vm-" + Base.name(vm.value()));
    }

    static CpiException notFound(VmCid vm) {
        return new CpiException(Type.VM_NOT_FOUND, "no VM " + vm);
    }
}

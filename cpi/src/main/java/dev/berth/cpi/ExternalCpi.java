package dev.berth.cpi;

import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Any CPI of the BOSH world: an executable, run once per call. Thread-safe. Errors carry the
 * contract's sentence with type, method and request id.
 */
public final class ExternalCpi implements Cpi {
    private static final int NEWEST = 3;
    private static final int OLDEST = 2;
    private static final Duration INFO_IS_FRESH = Duration.ofMinutes(5);

    private final Path executable;
    private final CpiProcess process;
    private final CpiLog log;
    private final Clock clock;
    private volatile @Nullable Known known;
    private volatile boolean refusedToResize;

    /**
     * @param limit of each call; past it the CPI is killed and the outcome is {@link
     *     CpiException.Type#UNKNOWN}
     */
    public ExternalCpi(Path executable, Duration limit, CpiLog log, Clock clock) {
        this.executable = executable;
        this.process = new CpiProcess(executable, environment(System.getenv()), limit);
        this.log = log;
        this.clock = clock;
    }

    /** What {@code info} said, of which version of the file, and when. */
    private record Known(Fields info, FileTime modified, Instant at) {}

    /** All that is inherited; proxies and the like are the CPI's wrapper script's business. */
    static Map<String, String> environment(Map<String, String> own) {
        var environment = new LinkedHashMap<String, String>();
        environment.put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for (String name : List.of("TMPDIR", "HOME")) {
            String value = own.get(name);
            if (value != null) {
                environment.put(name, value);
            }
        }
        return environment;
    }

    // --- version

    @Override
    public Info info() {
        Fields info = knownInfo();
        return new Info((int) info.integer("api_version", 0), info.strings("stemcell_formats"));
    }

    private Fields knownInfo() {
        Known last = known;
        Instant now = clock.now();
        FileTime modified = modified();
        if (last == null
                || !last.modified().equals(modified)
                || last.at().plus(INFO_IS_FRESH).isBefore(now)) {
            last = new Known(askInfo(), modified, now);
            known = last;
        }
        return last.info();
    }

    private Fields askInfo() {
        CpiContext none = new CpiContext("", "", null, Map.of());
        Map<String, Object> request =
                Json.of("method", "info", "arguments", List.of(), "context", Map.of());
        try {
            Object info = send(none, "info", Json.write(request));
            return Fields.of(info, "info");
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                throw tooOld("it does not implement info");
            }
            throw e;
        } catch (IllegalArgumentException e) {
            throw CpiAnswer.invalid("info", "", e.getMessage());
        }
    }

    private FileTime modified() {
        try {
            return Files.getLastModifiedTime(executable);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    private int version() {
        long offered = knownInfo().integer("api_version", 0);
        if (offered < OLDEST) {
            throw tooOld("it reports " + (offered == 0 ? "none" : offered));
        }
        return (int) Math.min(offered, NEWEST);
    }

    private CpiException tooOld(String why) {
        return new CpiException(
                CpiException.Type.NOT_SUPPORTED,
                "CPI must report api_version via info, at least "
                        + OLDEST
                        + ": "
                        + executable
                        + ": "
                        + why);
    }

    // --- one call

    private @Nullable Object call(
            CpiContext context, String method, @Nullable Object... arguments) {
        int version = version();
        List<?> list = Arrays.asList(arguments);
        Map<String, Object> request =
                Json.of(
                        "method",
                        method,
                        "arguments",
                        list,
                        "context",
                        context.toTree(),
                        "api_version",
                        version);
        log.request(context, Json.write(CpiRedaction.request(method, list, context.toTree())));
        return send(context, method, Json.write(request));
    }

    private @Nullable Object send(CpiContext context, String method, String request) {
        String stdout = process.run(request, line -> log.line(context, line));
        CpiAnswer answer = CpiAnswer.parse(method, context.requestId(), stdout);
        answer.log().lines().forEach(line -> log.line(context, line));
        return answer.resultOrThrow();
    }

    private String text(CpiContext context, String method, @Nullable Object... arguments) {
        if (call(context, method, arguments) instanceof String text && !text.isBlank()) {
            return text;
        }
        throw CpiAnswer.invalid(method, context.requestId(), "the result is not a cid");
    }

    private boolean flag(CpiContext context, String method, Object... arguments) {
        if (call(context, method, arguments) instanceof Boolean flag) {
            return flag;
        }
        throw CpiAnswer.invalid(method, context.requestId(), "the result is not a boolean");
    }

    private List<Object> list(CpiContext context, String method, Object... arguments) {
        try {
            return Json.asList(call(context, method, arguments));
        } catch (IllegalArgumentException e) {
            throw CpiAnswer.invalid(method, context.requestId(), e.getMessage());
        }
    }

    private Map<String, Object> object(CpiContext context, String method, Object... arguments) {
        try {
            return Json.asObject(call(context, method, arguments));
        } catch (IllegalArgumentException e) {
            throw CpiAnswer.invalid(method, context.requestId(), e.getMessage());
        }
    }

    // --- stemcells and VMs

    @Override
    public StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> cloudProperties,
            Map<String, String> tags) {
        String path = image.toString();
        return new StemcellCid(
                version() < 3
                        ? text(context, "create_stemcell", path, cloudProperties)
                        : text(
                                context,
                                "create_stemcell",
                                path,
                                cloudProperties,
                                Json.of("tags", tags)));
    }

    @Override
    public void deleteStemcell(CpiContext context, StemcellCid stemcell) {
        call(context, "delete_stemcell", stemcell.value());
    }

    @Override
    public VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            List<DiskCid> disks,
            Map<String, Object> env) {
        List<Object> answer =
                list(
                        context,
                        "create_vm",
                        agent.value(),
                        stemcell.value(),
                        cloudProperties,
                        networks,
                        disks.stream().map(DiskCid::value).toList(),
                        env);
        if (!answer.isEmpty() && answer.getFirst() instanceof String cid && !cid.isBlank()) {
            return new VmCid(cid);
        }
        throw CpiAnswer.invalid("create_vm", context.requestId(), "the result names no VM");
    }

    @Override
    public void deleteVm(CpiContext context, VmCid vm) {
        call(context, "delete_vm", vm.value());
    }

    @Override
    public boolean hasVm(CpiContext context, VmCid vm) {
        return flag(context, "has_vm", vm.value());
    }

    @Override
    public void rebootVm(CpiContext context, VmCid vm) {
        call(context, "reboot_vm", vm.value());
    }

    @Override
    public void setVmMetadata(CpiContext context, VmCid vm, Map<String, String> metadata) {
        call(context, "set_vm_metadata", vm.value(), metadata);
    }

    @Override
    public void configureNetworks(CpiContext context, VmCid vm, Map<String, Object> networks) {
        call(context, "configure_networks", vm.value(), networks);
    }

    @Override
    public boolean readdressesVms() {
        return knownInfo().object("berth").flag("readdresses_vms", false);
    }

    @Override
    public Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb) {
        Map<String, Object> wanted =
                Json.of("ram", ramMb, "cpu", cpus, "ephemeral_disk_size", ephemeralDiskMb);
        return object(context, "calculate_vm_cloud_properties", wanted);
    }

    // --- disks

    @Override
    public DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid vm) {
        String near = vm == null ? null : vm.value();
        return new DiskCid(text(context, "create_disk", sizeMb, cloudProperties, near));
    }

    @Override
    public void deleteDisk(CpiContext context, DiskCid disk) {
        call(context, "delete_disk", disk.value());
    }

    @Override
    public boolean hasDisk(CpiContext context, DiskCid disk) {
        return flag(context, "has_disk", disk.value());
    }

    @Override
    public Object attachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        Object hint = call(context, "attach_disk", vm.value(), disk.value());
        return switch (hint) {
            case String text when !text.isEmpty() -> text;
            case Map<?, ?> map when !map.isEmpty() -> map;
            case null, default ->
                    throw CpiAnswer.invalid(
                            "attach_disk", context.requestId(), "the result is no disk hint");
        };
    }

    @Override
    public void detachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        call(context, "detach_disk", vm.value(), disk.value());
    }

    @Override
    public void resizeDisk(CpiContext context, DiskCid disk, long sizeMb) {
        try {
            call(context, "resize_disk", disk.value(), sizeMb);
        } catch (CpiException e) {
            // The next disk need not be detached to learn the same.
            refusedToResize |= e.type() == CpiException.Type.NOT_IMPLEMENTED;
            throw e;
        }
    }

    @Override
    public void setDiskMetadata(CpiContext context, DiskCid disk, Map<String, String> metadata) {
        call(context, "set_disk_metadata", disk.value(), metadata);
    }

    @Override
    public List<DiskCid> getDisks(CpiContext context, VmCid vm) {
        return list(context, "get_disks", vm.value()).stream()
                .map(cid -> new DiskCid(String.valueOf(cid)))
                .toList();
    }

    @Override
    public SnapshotCid snapshotDisk(
            CpiContext context, DiskCid disk, Map<String, String> metadata) {
        return new SnapshotCid(text(context, "snapshot_disk", disk.value(), metadata));
    }

    @Override
    public void deleteSnapshot(CpiContext context, SnapshotCid snapshot) {
        call(context, "delete_snapshot", snapshot.value());
    }

    @Override
    public DiskCid createDiskFromSnapshot(
            CpiContext context,
            SnapshotCid snapshot,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid near) {
        if (!knowsBerth()) {
            return Cpi.super.createDiskFromSnapshot(
                    context, snapshot, sizeMb, cloudProperties, near);
        }
        return new DiskCid(
                text(
                        context,
                        "berth_create_disk_from_snapshot",
                        snapshot.value(),
                        sizeMb,
                        cloudProperties,
                        near == null ? null : near.value()));
    }

    // --- networks

    @Override
    public CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet) {
        List<Object> answer = list(context, "create_network", subnet);
        if (answer.size() < 3 || !(answer.getFirst() instanceof String cid)) {
            throw CpiAnswer.invalid(
                    "create_network", context.requestId(), "the result names no network");
        }
        return new CreatedNetwork(cid, Json.asObject(answer.get(1)), Json.asObject(answer.get(2)));
    }

    @Override
    public void deleteNetwork(CpiContext context, String networkCid) {
        call(context, "delete_network", networkCid);
    }

    // --- Berth's own

    /** A CPI whose info does not announce Berth's methods is not asked for them at all. */
    private boolean knowsBerth() {
        return knownInfo().has("berth");
    }

    @Override
    public boolean growsAttachedDisks() {
        return knownInfo().object("berth").flag("grows_attached_disks", false);
    }

    @Override
    public boolean resizesDisks() {
        return !refusedToResize;
    }

    @Override
    public boolean movesDisksBetweenAzs() {
        return knownInfo().object("berth").flag("moves_disks_between_azs", false);
    }

    @Override
    public VmEvidence vmEvidence(CpiContext context, VmCid vm) {
        if (knowsBerth()) {
            try {
                return VmEvidence.valueOf(text(context, "berth_vm_evidence", vm.value()));
            } catch (CpiException e) {
                if (e.type() != CpiException.Type.NOT_IMPLEMENTED) {
                    throw e;
                }
            } catch (IllegalArgumentException e) {
                throw CpiAnswer.invalid("berth_vm_evidence", context.requestId(), e.getMessage());
            }
        }
        return Cpi.super.vmEvidence(context, vm);
    }

    @Override
    public List<CloudObject> inventory(CpiContext context) {
        if (!knowsBerth()) {
            return Cpi.super.inventory(context);
        }
        try {
            return list(context, "berth_inventory").stream().map(CloudObjects::fromTree).toList();
        } catch (IllegalArgumentException e) {
            throw CpiAnswer.invalid("berth_inventory", context.requestId(), e.getMessage());
        }
    }
}

package dev.berth.cpi;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Serves a {@link Cpi} as the executables of the BOSH contract do: one JSON request in, one JSON
 * response out, all three keys always there, errors typed. Berth's own methods are served beside
 * BOSH's, with names that begin with {@code berth_}; {@code info} announces them under {@code
 * berth}. Thread-safe when the Cpi is.
 */
public final class CpiServer {
    private static final int LONGEST_REQUEST = 16 * 1024 * 1024;

    private final Function<CpiContext, Cpi> cpis;

    /**
     * @param cpis makes the Cpi for a request: settings of the CPI config travel in its context
     */
    public CpiServer(Function<CpiContext, Cpi> cpis) {
        this.cpis = cpis;
    }

    /**
     * Reads to the end of {@code in} and answers; throws only when the answer cannot be written.
     */
    public void serve(InputStream in, OutputStream out) throws IOException {
        String answer = Json.write(answer(in.readNBytes(LONGEST_REQUEST + 1))) + "\n";
        out.write(answer.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /** Answers one request document. */
    Map<String, Object> answer(byte[] request) {
        try {
            if (request.length > LONGEST_REQUEST) {
                throw refused("the request is longer than " + LONGEST_REQUEST + " bytes");
            }
            return Json.of("result", result(parse(request)), "error", null, "log", "");
        } catch (CpiException e) {
            return error(e.type().wireName(), message(e), e.okToRetry());
        } catch (IllegalArgumentException e) {
            return error(CpiException.Type.CPI_ERROR.wireName(), message(e), false);
        } catch (RuntimeException e) {
            return error(
                    CpiException.Type.CPI_ERROR.wireName(),
                    e.getClass().getSimpleName() + ": " + message(e),
                    false);
        }
    }

    private static Fields parse(byte[] request) {
        try {
            return Fields.of(Json.parse(request), "request");
        } catch (IllegalArgumentException e) {
            throw refused("the request is malformed: " + e.getMessage());
        }
    }

    private static CpiException refused(String why) {
        return new CpiException(CpiException.Type.CPI_ERROR, why);
    }

    private static String message(RuntimeException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private static Map<String, Object> error(String type, String message, boolean okToRetry) {
        Map<String, Object> error =
                Json.of("type", type, "message", message, "ok_to_retry", okToRetry);
        return Json.of("result", null, "error", error, "log", "");
    }

    private @Nullable Object result(Fields request) {
        String method = request.string("method");
        CpiContext context = CpiContext.fromTree(request.object("context").tree());
        var arguments = new Arguments(method, request.list("arguments"));
        Cpi cpi = cpis.apply(context);
        if (method.equals("info")) {
            return info(cpi);
        }
        checkVersion(request.optionalInteger("api_version"), cpi.info().apiVersion());
        return call(cpi, context, method, arguments);
    }

    private static void checkVersion(@Nullable Long asked, int most) {
        if (asked != null && (asked < 2 || asked > most)) {
            throw new CpiException(
                    CpiException.Type.NOT_IMPLEMENTED,
                    "API version " + asked + " is not spoken here, only 2 to " + most);
        }
    }

    private static Map<String, Object> info(Cpi cpi) {
        Cpi.Info info = cpi.info();
        return Json.of(
                "api_version",
                info.apiVersion(),
                "stemcell_formats",
                info.stemcellFormats(),
                "berth",
                Json.of(
                        "grows_attached_disks",
                        cpi.growsAttachedDisks(),
                        "moves_disks_between_azs",
                        cpi.movesDisksBetweenAzs(),
                        "readdresses_vms",
                        cpi.readdressesVms()));
    }

    private static @Nullable Object call(Cpi cpi, CpiContext context, String method, Arguments a) {
        return switch (method) {
            case "create_stemcell", "delete_stemcell" -> stemcellCall(cpi, context, a);
            case "create_vm",
                    "delete_vm",
                    "has_vm",
                    "reboot_vm",
                    "set_vm_metadata",
                    "configure_networks",
                    "get_disks",
                    "calculate_vm_cloud_properties",
                    "berth_vm_evidence" ->
                    vmCall(cpi, context, a);
            case "create_disk",
                    "delete_disk",
                    "has_disk",
                    "attach_disk",
                    "detach_disk",
                    "resize_disk",
                    "set_disk_metadata" ->
                    diskCall(cpi, context, a);
            case "snapshot_disk", "delete_snapshot", "berth_create_disk_from_snapshot" ->
                    snapshotCall(cpi, context, a);
            case "create_network" -> network(cpi, context, a.count(1, 1));
            case "delete_network" -> {
                cpi.deleteNetwork(context, a.count(1, 1).text(0, "network_cid"));
                yield null;
            }
            case "berth_inventory" -> inventory(cpi, context);
            case "ping" -> "pong";
            case "update_disk" ->
                    throw new CpiException(
                            CpiException.Type.NOT_SUPPORTED, method + " is not supported");
            default ->
                    throw new CpiException(
                            CpiException.Type.NOT_IMPLEMENTED,
                            "Must call implemented method: " + method);
        };
    }

    private static @Nullable Object stemcellCall(Cpi cpi, CpiContext context, Arguments a) {
        if (a.method().equals("delete_stemcell")) {
            cpi.deleteStemcell(context, a.count(1, 1).stemcell(0));
            return null;
        }
        a.count(2, 3);
        return cpi.createStemcell(
                        context,
                        Path.of(a.text(0, "image_path")),
                        a.object(1, "cloud_properties"),
                        a.tags(2))
                .value();
    }

    private static @Nullable Object vmCall(Cpi cpi, CpiContext context, Arguments a) {
        return switch (a.method()) {
            case "create_vm" -> createVm(cpi, context, a.count(6, 6));
            case "delete_vm" -> {
                cpi.deleteVm(context, a.count(1, 1).vm(0));
                yield null;
            }
            case "has_vm" -> cpi.hasVm(context, a.count(1, 1).vm(0));
            case "reboot_vm" -> {
                cpi.rebootVm(context, a.count(1, 1).vm(0));
                yield null;
            }
            case "configure_networks" -> {
                cpi.configureNetworks(context, a.count(2, 2).vm(0), a.object(1, "networks"));
                yield null;
            }
            case "set_vm_metadata" -> {
                cpi.setVmMetadata(context, a.count(2, 2).vm(0), a.texts(1, "metadata"));
                yield null;
            }
            case "get_disks" ->
                    cpi.getDisks(context, a.count(1, 1).vm(0)).stream()
                            .map(disk -> disk.value())
                            .toList();
            case "berth_vm_evidence" -> cpi.vmEvidence(context, a.count(1, 1).vm(0)).name();
            default -> {
                Fields wanted = Fields.of(a.count(1, 1).object(0, "resources"), a.method());
                yield cpi.calculateVmCloudProperties(
                        context,
                        Math.toIntExact(wanted.integer("ram")),
                        Math.toIntExact(wanted.integer("cpu")),
                        Math.toIntExact(wanted.integer("ephemeral_disk_size")));
            }
        };
    }

    /** The networks are handed back as they came: this contract's callers use only the cid. */
    private static List<Object> createVm(Cpi cpi, CpiContext context, Arguments a) {
        Map<String, Object> networks = a.object(3, "networks");
        String cid =
                cpi.createVm(
                                context,
                                a.agent(0),
                                a.stemcell(1),
                                a.object(2, "cloud_properties"),
                                networks,
                                a.disks(4),
                                a.object(5, "env"))
                        .value();
        return List.of(cid, networks);
    }

    private static @Nullable Object diskCall(Cpi cpi, CpiContext context, Arguments a) {
        return switch (a.method()) {
            case "create_disk" ->
                    cpi.createDisk(
                                    context,
                                    a.count(3, 3).size(0, "size"),
                                    a.object(1, "cloud_properties"),
                                    a.optionalVm(2))
                            .value();
            case "attach_disk" -> cpi.attachDisk(context, a.count(2, 2).vm(0), a.disk(1));
            case "has_disk" -> cpi.hasDisk(context, a.count(1, 1).disk(0));
            case "delete_disk" -> {
                cpi.deleteDisk(context, a.count(1, 1).disk(0));
                yield null;
            }
            case "detach_disk" -> {
                cpi.detachDisk(context, a.count(2, 2).vm(0), a.disk(1));
                yield null;
            }
            case "resize_disk" -> {
                cpi.resizeDisk(context, a.count(2, 2).disk(0), a.size(1, "new_size"));
                yield null;
            }
            default -> {
                cpi.setDiskMetadata(context, a.count(2, 2).disk(0), a.texts(1, "metadata"));
                yield null;
            }
        };
    }

    private static @Nullable Object snapshotCall(Cpi cpi, CpiContext context, Arguments a) {
        return switch (a.method()) {
            case "snapshot_disk" ->
                    cpi.snapshotDisk(context, a.count(1, 2).disk(0), a.texts(1, "metadata"))
                            .value();
            case "delete_snapshot" -> {
                cpi.deleteSnapshot(context, a.count(1, 1).snapshot(0));
                yield null;
            }
            default ->
                    cpi.createDiskFromSnapshot(
                                    context,
                                    a.count(4, 4).snapshot(0),
                                    a.size(1, "size"),
                                    a.object(2, "cloud_properties"),
                                    a.optionalVm(3))
                            .value();
        };
    }

    private static List<Object> network(Cpi cpi, CpiContext context, Arguments a) {
        Cpi.CreatedNetwork made = cpi.createNetwork(context, a.object(0, "subnet_definition"));
        return List.of(made.cid(), made.addressProperties(), made.cloudProperties());
    }

    private static List<Object> inventory(Cpi cpi, CpiContext context) {
        var list = new ArrayList<Object>();
        for (Cpi.CloudObject object : cpi.inventory(context)) {
            list.add(CloudObjects.toTree(object));
        }
        return list;
    }
}

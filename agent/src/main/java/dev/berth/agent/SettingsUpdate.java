package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code update_settings}: trusted certificates and disk associations always replace what was, bus
 * and blobstores when they are given. Other bus credentials are taken in place, so that the agent
 * need not restart; the answers are the same.
 */
final class SettingsUpdate {
    private static final Pattern CERTIFICATE =
            Pattern.compile("-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----");
    private static final Duration STORE_LIMIT = Duration.ofSeconds(60);

    private final Layout layout;
    private final CurrentSettings settings;
    private final Disks disks;
    private final Programs programs;
    private final PendingCall pending;
    private final Consumer<Settings> newBus;

    /**
     * @param newBus told when URLs or credentials of the bus have changed, after they are durable
     */
    SettingsUpdate(
            Layout layout,
            CurrentSettings settings,
            Disks disks,
            Programs programs,
            PendingCall pending,
            Consumer<Settings> newBus) {
        this.layout = layout;
        this.settings = settings;
        this.disks = disks;
        this.programs = programs;
        this.pending = pending;
        this.newBus = newBus;
    }

    String update(Arguments a, AgentCall call) throws IOException {
        Fields wished = a.object(0, "update_settings");
        Settings before = settings.get();
        associate(wished);
        trust(wished.string("trusted_certs", ""), before.overlay().string("trusted_certs", ""));
        Settings after;
        boolean sameBus;
        synchronized (settings) {
            before = settings.get();
            after = before.with(overlay(before.overlay(), wished));
            sameBus = before.sameBus(after);
            if (!sameBus && after.busCertificate() != null) {
                // Refuse what cannot be used.
                BusTls.context(Objects.requireNonNull(after.busCertificate()));
                pending.keep(call.id(), "update_settings", a.values());
            }
            DurableFile.write(layout.updatedSettings(), Json.write(after.overlay().tree()));
            settings.set(after);
        }
        if (!sameBus) {
            newBus.accept(after);
        }
        return "ok";
    }

    private static Map<String, Object> overlay(Fields before, Fields wished) {
        var overlay = new LinkedHashMap<String, Object>();
        overlay.put("trusted_certs", wished.string("trusted_certs", ""));
        overlay.put("disk_associations", wished.list("disk_associations"));
        Fields bus =
                wished.object("mbus").tree().isEmpty()
                        ? before.object("mbus")
                        : wished.object("mbus");
        overlay.put("mbus", bus.tree());
        overlay.put(
                "blobstores",
                wished.list("blobstores").isEmpty()
                        ? before.list("blobstores")
                        : wished.list("blobstores"));
        overlay.put("berth", before.object("berth").tree());
        return overlay;
    }

    private void associate(Fields wished) throws IOException {
        Path folder = layout.instance().resolve("disks");
        for (Fields association : wished.objects("disk_associations")) {
            String name = association.string("name");
            String cid = association.string("cid");
            Path device = disks.deviceNode(cid);
            if (device == null) {
                throw new ActionException("Disk " + cid + " is not attached");
            }
            if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*")) {
                throw new ActionException("'" + name + "' is no name for a disk");
            }
            Files.createDirectories(folder);
            Path link = folder.resolve(name);
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, device);
        }
    }

    private void trust(String certificates, String before) throws IOException {
        if (certificates.equals(before)) {
            return;
        }
        Path folder = Path.of("/usr/local/share/ca-certificates");
        if (!layout.etc().equals(Path.of("/etc"))) {
            folder = layout.etc().resolve("ca-certificates.local");
        }
        Files.createDirectories(folder);
        try (var old = Files.newDirectoryStream(folder, "bosh-trusted-cert-*.crt")) {
            for (Path file : old) {
                Files.delete(file);
            }
        }
        Matcher certificate = CERTIFICATE.matcher(certificates);
        for (int i = 1; certificate.find(); i++) {
            Files.writeString(
                    folder.resolve("bosh-trusted-cert-" + i + ".crt"), certificate.group() + "\n");
        }
        Programs.Result result = programs.run(STORE_LIMIT, "update-ca-certificates", "-f");
        if (result.code() != 127) { // a VM without the program keeps no system trust store
            String ignored = result.orFail("cannot rebuild the system's trust store");
        }
    }
}

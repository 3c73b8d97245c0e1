package dev.berth.agent;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The settings in force: the CPI's document under the director's {@code update_settings} overlay,
 * with the precedence of the agent protocol (16.5). Immutable; secrets inside are never printed.
 *
 * @param document what the CPI gave
 * @param overlay what the director sent last; empty before
 */
record Settings(AgentSettings document, Fields overlay) {
    private static final System.Logger LOG = System.getLogger(Settings.class.getName());
    private static final long LARGEST = 4 * 1024 * 1024;

    /**
     * Reads the CPI's document, and keeps a copy for the day it cannot be read.
     *
     * @throws ActionException when neither the document nor a copy can be read
     */
    static Settings load(Layout layout, Path source) {
        Fields overlay =
                Fields.of(
                        DurableFile.read(layout.updatedSettings())
                                .<Object>map(Json::parse)
                                .orElse(Map.of()),
                        "update_settings");
        try {
            if (Files.size(source) > LARGEST) {
                throw new IOException("larger than " + LARGEST + " bytes");
            }
            String text = Files.readString(source);
            var settings = new Settings(AgentSettings.fromTree(Json.object(text)), overlay);
            if (!Optional.of(text).equals(DurableFile.read(layout.cachedSettings()))) {
                DurableFile.write(layout.cachedSettings(), text);
            }
            return settings;
        } catch (IOException | IllegalArgumentException e) {
            String cached =
                    DurableFile.read(layout.cachedSettings())
                            .orElseThrow(() ->
                                    new ActionException(
                                            "settings "
                                                    + source
                                                    + " cannot be read ("
                                                    + ActionException.words(e)
                                                    + ") and there is no earlier copy",
                                            e));
            LOG.log(
                    System.Logger.Level.WARNING,
                    "settings {0} cannot be read ({1}): using the copy of the last start",
                    source,
                    ActionException.words(e));
            return new Settings(AgentSettings.fromTree(Json.object(cached)), overlay);
        }
    }

    Settings with(Map<String, Object> newOverlay) {
        return new Settings(document, Fields.of(newOverlay, "update_settings"));
    }

    AgentId agentId() {
        return document.agentId();
    }

    Fields env() {
        return Fields.of(document.tree(), "settings").object("env");
    }

    List<String> busUrls() {
        List<String> updated = overlay.object("mbus").strings("urls");
        return updated.isEmpty() ? document.mbus() : updated;
    }

    AgentSettings.@Nullable Certificate busCertificate() {
        Object updated = overlay.object("mbus").tree().get("cert");
        if (updated instanceof Map<?, ?> cert
                && cert.get("ca") instanceof String ca
                && !ca.isBlank()) {
            return AgentSettings.Certificate.fromTree(updated);
        }
        return document.cert();
    }

    /** The environment's registry, trusted by the CA that was told last; null: there is none. */
    AgentSettings.@Nullable Registry registry() {
        AgentSettings.Registry given = document.registry();
        String ca = overlay.object("berth").string("registry_ca", "");
        return given == null || ca.isEmpty()
                ? given
                : new AgentSettings.Registry(
                        given.name(),
                        given.host(),
                        given.port(),
                        ca,
                        given.username(),
                        given.password());
    }

    /** {@code {provider, options}}; empty when the VM was given none. */
    Fields blobstore() {
        List<Fields> updated = overlay.objects("blobstores");
        List<Fields> environment = env().object("bosh").objects("blobstores");
        if (!updated.isEmpty()) {
            return updated.getFirst();
        }
        return environment.isEmpty()
                ? Fields.of(document.tree(), "settings").object("blobstore")
                : environment.getFirst();
    }

    /** Seconds between heartbeats when nothing changes; Berth's own key, 30 by default. */
    int heartbeatSeconds() {
        long wished = env().object("bosh").object("berth").integer("heartbeat_seconds", 30);
        return (int) Math.clamp(wished, 1, 300);
    }

    /** Persistent disks named by the document itself: disk cid to hint. */
    Map<String, Object> documentDisks() {
        return Fields.of(document.tree(), "settings").object("disks").object("persistent").tree();
    }

    String diskFileSystem() {
        return env().string("persistent_disk_fs", "ext4");
    }

    List<String> diskMountOptions() {
        return env().strings("persistent_disk_mount_options");
    }

    /** Whether a change to this overlay means another connection to the bus. */
    boolean sameBus(Settings other) {
        return busUrls().equals(other.busUrls())
                && java.util.Objects.equals(busCertificate(), other.busCertificate());
    }

    @Override
    public String toString() {
        return "Settings[" + agentId() + "]";
    }
}

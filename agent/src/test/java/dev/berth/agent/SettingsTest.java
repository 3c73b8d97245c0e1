package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of several places a setting comes from (agent protocol 16.5). */
class SettingsTest {
    @TempDir Path folder = Path.of("");

    private static Map<String, Object> certificate(String ca) {
        return Json.of("ca", ca, "certificate", "c", "private_key", "planted");
    }

    private Settings load(Map<String, Object> environment, Map<String, Object> overlay)
            throws Exception {
        Layout layout = Layout.of(folder);
        Path source = folder.resolve("given.json");
        Files.writeString(
                source,
                Json.write(
                        Json.of(
                                "agent_id",
                                "a1",
                                "mbus",
                                "nats://document:4222",
                                "blobstore",
                                Json.of("provider", "document"),
                                "env",
                                Json.of("bosh", environment))));
        DurableFile.write(layout.updatedSettings(), Json.write(overlay));
        return Settings.load(layout, source);
    }

    @Test
    void theBusComesFromTheOverlayThenTheEnvironmentThenTheDocument() throws Exception {
        assertThat(load(Map.of(), Map.of()).busUrls()).containsExactly("nats://document:4222");
        Map<String, Object> environment =
                Json.of(
                        "mbus",
                        Json.of(
                                "urls",
                                List.of("nats://env:1", "nats://env:2"),
                                "cert",
                                certificate("env ca")));
        Settings settings = load(environment, Map.of());
        assertThat(settings.busUrls()).containsExactly("nats://env:1", "nats://env:2");
        assertThat(Objects.requireNonNull(settings.busCertificate()).ca()).isEqualTo("env ca");
        Settings updated =
                load(
                        environment,
                        Json.of(
                                "mbus",
                                Json.of(
                                        "urls",
                                        List.of("nats://new:1"),
                                        "cert",
                                        certificate("new ca"))));
        assertThat(updated.busUrls()).containsExactly("nats://new:1");
        assertThat(Objects.requireNonNull(updated.busCertificate()).ca()).isEqualTo("new ca");
        assertThat(updated.sameBus(settings)).isFalse();
        Settings withoutCa = load(environment, Json.of("mbus", Json.of("cert", certificate(""))));
        assertThat(Objects.requireNonNull(withoutCa.busCertificate()).ca()).isEqualTo("env ca");
    }

    @Test
    void theBlobstoreComesFromTheOverlayThenTheEnvironmentThenTheDocument() throws Exception {
        Map<String, Object> environment =
                Json.of("blobstores", List.of(Json.of("provider", "env")));
        Map<String, Object> overlay = Json.of("blobstores", List.of(Json.of("provider", "new")));
        assertThat(load(Map.of(), Map.of()).blobstore().string("provider")).isEqualTo("document");
        assertThat(load(environment, Map.of()).blobstore().string("provider")).isEqualTo("env");
        assertThat(load(environment, overlay).blobstore().string("provider")).isEqualTo("new");
    }

    @Test
    void aCopyServesWhenTheDocumentIsGone() throws Exception {
        load(Map.of(), Map.of());
        Files.delete(folder.resolve("given.json"));
        Layout layout = Layout.of(folder);
        assertThat(Settings.load(layout, folder.resolve("given.json")).agentId().value())
                .isEqualTo("a1");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(layout.cachedSettings())))
                .isEqualTo("rw-------");
        Files.delete(layout.cachedSettings());
        assertThatThrownBy(() -> Settings.load(layout, folder.resolve("given.json")))
                .hasMessageContaining("no earlier copy");
    }

    @Test
    void secretsAreNotPrinted() throws Exception {
        Settings settings = load(Json.of("mbus", Json.of("cert", certificate("ca"))), Map.of());
        assertThat(settings.toString() + settings.busCertificate()).doesNotContain("planted");
        assertThat(AgentSettings.fromTree(settings.document().tree()).agentId().value())
                .isEqualTo("a1");
    }
}

package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerSpec.Dependency;
import dev.berth.model.ContainerSpec.Dependency.Condition;
import dev.berth.model.ContainerSpec.Healthcheck;
import dev.berth.model.ContainerSpec.Link;
import dev.berth.model.ContainerSpec.PortBinding;
import dev.berth.model.ContainerSpec.Restart;
import dev.berth.model.ContainerSpec.Volume;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Specs become exactly the create bodies that the golden files hold. */
class CreateBodyTest {
    private final CreateBody bodies = new CreateBody(SupervisorConfig.inVm("i-1", "boot"));

    private void same(String golden, ContainerSpec spec, @Nullable List<String> imageEntrypoint)
            throws IOException {
        Map<String, Object> body = bodies.of(spec, "d1", "intent1", imageEntrypoint);
        try (InputStream in = getClass().getResourceAsStream("bodies/" + golden + ".json")) {
            assertThat(in).as(golden).isNotNull();
            String wanted = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(Json.canonical(body)).isEqualTo(Json.canonical(Json.parse(wanted)));
        }
    }

    /** Name and image alone: everything else is the image's own, but for our labels and rules. */
    @Test
    void theLeast() throws IOException {
        same("least", Specs.named("web").make(), null);
    }

    /** Every key at once. */
    @Test
    void everything() throws IOException {
        var spec =
                new ContainerSpec(
                        "db",
                        "registry.berth/shop/db:15",
                        "sha256:abc",
                        null,
                        List.of("postgres", "-c", "fsync=on"),
                        List.of("/entry"),
                        Map.of("POSTGRES_PASSWORD", "a=b c"),
                        List.of(
                                new PortBinding("", 5432, 5432, "tcp"),
                                new PortBinding("127.0.0.1", 15432, 5432, "tcp"),
                                new PortBinding("", 0, 53, "udp")),
                        List.of(
                                new Volume(Volume.Kind.STORE, "containers/db", "/data", false),
                                new Volume(Volume.Kind.DATA, "scratch", "/tmp/x", false),
                                new Volume(Volume.Kind.HOST, "/etc/ssl", "/etc/ssl", true)),
                        List.of(new Dependency("init", Condition.COMPLETED, true, true)),
                        List.of(new Link("cache", "redis")),
                        256L << 20,
                        "999:999",
                        "/srv",
                        "db0",
                        true,
                        Map.of("team", "blue"),
                        new Healthcheck(
                                List.of("CMD", "pg_isready"),
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(2),
                                3,
                                Duration.ofSeconds(10)),
                        new Restart(Restart.Policy.ALWAYS, 0),
                        "SIGINT",
                        Duration.ofMillis(1500));
        same("everything", spec, null);
    }

    /**
     * A cleared command keeps the image's entrypoint, which must be said for the engine to do so.
     */
    @Test
    void clearedCommand() throws IOException {
        same("cleared-command", Specs.named("a").command().make(), List.of("/docker-entry"));
    }

    /** A cleared entrypoint clears the image's command too. */
    @Test
    void clearedEntrypoint() throws IOException {
        same("cleared-entrypoint", Specs.named("a").entrypoint().command("ls").make(), null);
    }

    /** A Dockerfile's image is named by the digest of its text. */
    @Test
    void builtImage() throws IOException {
        same("built", Specs.named("a").dockerfile("FROM base\n").make(), null);
    }

    /** No volume leads out of its disk. */
    @Test
    void sourcesStayBelowTheirDisk() {
        ContainerSpec spec = Specs.named("a").volume(Volume.Kind.STORE, "../../etc", "/etc").make();
        assertThatThrownBy(() -> bodies.of(spec, "d", "i", null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("../../etc");
    }
}

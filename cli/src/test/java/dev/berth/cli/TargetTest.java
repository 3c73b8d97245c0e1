package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TargetTest {
    @TempDir Path folder;

    private Home home() {
        return Home.of(Map.of("BERTH_HOME", folder.toString()));
    }

    /** Hosts, host:port and URLs all name the director's HTTPS address. */
    @Test
    void addresses() {
        assertThat(Target.full("10.0.0.6")).isEqualTo("https://10.0.0.6:25555");
        assertThat(Target.full("bosh.example:1234")).isEqualTo("https://bosh.example:1234");
        assertThat(Target.full("https://bosh.example/")).isEqualTo("https://bosh.example:25555");
    }

    /** The CA may be given as text or as a file, as the stock CLI takes it. */
    @Test
    void ca() throws Exception {
        Path file = Files.writeString(folder.resolve("ca"), "-----BEGIN CERTIFICATE-----");
        var env = Map.of("BOSH_ENVIRONMENT", "h", "BOSH_CA_CERT", file.toString());
        assertThat(Target.of(env, home()).caPem()).startsWith("-----BEGIN");
        var inline =
                Map.of("BOSH_ENVIRONMENT", "h", "BOSH_CA_CERT", "-----BEGIN CERTIFICATE-----x");
        assertThat(Target.of(inline, home()).caPem()).endsWith("x");
    }

    /** Without variables the environment of this machine is meant, and its password never shows. */
    @Test
    void thisMachine() throws Exception {
        assertThatThrownBy(() -> Target.of(Map.of(), home()))
                .hasMessageContaining("there is no environment at")
                .hasMessageEndingWith("up");
        new EnvironmentFile(
                        "e",
                        "u",
                        "127.0.0.1",
                        25556,
                        4222,
                        5000,
                        "unix:///x",
                        "e",
                        "10.244.0.0/24",
                        "10.244.0.1",
                        "admin",
                        new Secret("planted"),
                        "berth",
                        new Secret("planted"))
                .save(folder);
        Target target = Target.of(Map.of(), home());
        assertThat(target.url()).isEqualTo("https://127.0.0.1:25556");
        assertThat(target.password()).isEqualTo("planted");
        assertThat(target.toString()).doesNotContain("planted");
    }
}

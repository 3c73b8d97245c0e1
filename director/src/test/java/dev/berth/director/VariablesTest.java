package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.bus.CertificateMaker;
import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.VariableDefinition;
import dev.berth.model.VariableDefinition.UpdateMode;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Generated variables: once, sealed, in the right order, with every mistake told. */
class VariablesTest {
    @TempDir Path home;
    private final Store store = SqlStore.sqliteInMemory();
    private Variables variables;

    @BeforeEach
    void start() throws Exception {
        variables =
                new Variables(
                        store,
                        SecretBox.open(home.resolve("key")),
                        new DirectorIdentity("berth", "u", "0", "docker"),
                        Clock.SYSTEM);
    }

    @AfterEach
    void stop() {
        store.close();
    }

    private static VariableDefinition definition(
            String name, String type, UpdateMode mode, Object... options) {
        return new VariableDefinition(name, type, Json.of(options), mode);
    }

    private static VariableDefinition definition(String name, String type, Object... options) {
        return definition(name, type, UpdateMode.NO_OVERWRITE, options);
    }

    @Test
    void aPasswordIsMadeOnceAndKeptSealed() {
        var password = definition("pg", "password", "length", 24L);
        assertThat(variables.generate("shop", List.of(password))).containsExactly("/berth/shop/pg");
        String value = (String) variables.get("/berth/shop/pg").orElseThrow();
        assertThat(value).matches("[a-z0-9]{24}");
        assertThat(variables.generate("shop", List.of(password))).isEmpty();
        assertThat(variables.get("/berth/shop/pg")).contains(value);
        assertThat(store.read(s -> s.variables("/")).toString()).doesNotContain(value);
        assertThat(variables.get("/berth/shop/other")).isEmpty();
    }

    @Test
    void updateModesDecideWhetherAValueIsMadeAnew() {
        var first = definition("p", "password", UpdateMode.CONVERGE, "length", 10L);
        variables.generate("d", List.of(first));
        assertThat(variables.generate("d", List.of(first))).isEmpty();
        var longer = definition("p", "password", UpdateMode.CONVERGE, "length", 12L);
        assertThat(variables.generate("d", List.of(longer))).hasSize(1);
        var over = definition("p", "password", UpdateMode.OVERWRITE, "length", 12L);
        assertThat(variables.generate("d", List.of(over))).hasSize(1);
    }

    @Test
    void aCertificateIsSignedByACaDefinedAfterIt() throws Exception {
        variables.generate(
                "d",
                List.of(
                        definition(
                                "leaf",
                                "certificate",
                                "ca",
                                "root",
                                "common_name",
                                "db.internal",
                                "alternative_names",
                                List.of("db.internal", "10.0.0.5")),
                        definition("root", "certificate", "is_ca", true, "common_name", "my ca")));
        Map<String, Object> root = Json.asObject(variables.get("/berth/d/root").orElseThrow());
        Map<String, Object> leaf = Json.asObject(variables.get("/berth/d/leaf").orElseThrow());
        assertThat(leaf.keySet()).containsExactly("ca", "certificate", "private_key");
        assertThat(leaf.get("ca")).isEqualTo(root.get("certificate"));
        assertThat(root.get("ca")).isEqualTo(root.get("certificate"));
        var signer = CertificateMaker.parse(String.valueOf(root.get("certificate")));
        var signed = CertificateMaker.parse(String.valueOf(leaf.get("certificate")));
        signed.verify(signer.getPublicKey());
        assertThat(signed.getSubjectAlternativeNames()).hasSize(2);
    }

    @Test
    void keysComeInTheFormsOfTheirTypes() {
        variables.generate("d", List.of(definition("r", "rsa"), definition("/s", "ssh")));
        assertThat(Json.asObject(variables.get("/berth/d/r").orElseThrow()).keySet())
                .containsExactly("private_key", "public_key");
        assertThat(
                        String.valueOf(
                                Json.asObject(variables.get("/s").orElseThrow()).get("public_key")))
                .startsWith("ssh-rsa AAAA");
    }

    @Test
    void allMistakesAreToldTogether() {
        assertThatThrownBy(() ->
                        variables.generate(
                                "d",
                                List.of(
                                        definition("x", "json"),
                                        definition("c", "certificate", "common_name", "c"),
                                        definition(
                                                "l",
                                                "certificate",
                                                "common_name",
                                                "l",
                                                "ca",
                                                "/nowhere"),
                                        definition(
                                                "a",
                                                "certificate",
                                                "common_name",
                                                "a",
                                                "ca",
                                                "a"))))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(540005);
                            assertThat(e.getMessage())
                                    .contains("variable '/berth/d/x': values of type 'json'")
                                    .contains("variable '/berth/d/c': Missing required CA name")
                                    .contains("variable '/berth/d/l': there is no CA '/nowhere'")
                                    .contains("variable '/berth/d/a': its CA is signed by itself");
                        });
    }

    @Test
    void whatATaskLooksUpIsHiddenInItsOutputs() throws Exception {
        variables.set("/berth/d/user", "user", Json.of("password", "planted-value", "n", 1L));
        TaskLog log = TaskLog.into(home.resolve("task"), Clock.SYSTEM);
        log.debug("before");
        variables.hiddenIn(log).get("/berth/d/user");
        log.debug("the cloud says planted-value is wrong");
        assertThat(Files.readString(home.resolve("task/debug")))
                .contains("<redacted>")
                .doesNotContain("planted");
    }
}

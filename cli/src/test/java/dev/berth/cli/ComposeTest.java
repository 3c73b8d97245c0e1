package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Fields;
import dev.berth.model.YamlDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Compose file becomes containers of an instance group, with all it takes from this machine. */
class ComposeTest {
    private static final String MANIFEST =
            """
            name: shop
            instance_groups:
            - name: web
              instances: 1
            - name: db
              compose: compose.yml
              persistent_disk: 100
            """;

    @TempDir Path folder = Path.of("");
    private final List<String> warnings = new ArrayList<>();

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
        Files.writeString(file, text);
    }

    private Fields group(String compose, Map<String, String> env) throws IOException {
        return group(MANIFEST, compose, env);
    }

    private Fields group(String manifest, String compose, Map<String, String> env)
            throws IOException {
        write("compose.yml", compose);
        String text = new ComposeGroups(folder, env, warnings::add).applied(manifest);
        return Fields.of(YamlDocument.value(text), "manifest").objects("instance_groups").get(1);
    }

    /** Keys stay Compose's own; env files, secrets and configs come along by content. */
    @Test
    void aProjectIsInlined() throws IOException {
        write("secrets/pw", "planted\n");
        write(
                "app.env",
                "# comment\nexport A=1\nB='$x y' # no\nC=\"c ${A}\"\nFROM_SHELL\nNOT_SET\n");
        Fields group =
                group(
                        """
                        name: project
                        services:
                          pg:
                            image: postgres:${TAG:-17}
                            volumes: ["data:/var/lib/postgresql/data"]
                            environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pw, B: own}
                            env_file: app.env
                            secrets: [pw]
                            healthcheck: {test: [CMD, pg_isready], retries: "${RETRIES}"}
                            deploy: {resources: {limits: {memory: 256m}}}
                          app:
                            image: app
                            command: echo $$HOME
                            depends_on: {pg: {condition: service_healthy}}
                            environment: [X=1, FROM_SHELL, NOT_SET]
                        volumes:
                          data:
                        secrets:
                          pw: {file: secrets/pw}
                        configs:
                          inline: {content: "a: ${TAG:-17}"}
                        x-own: {whatever: 1}
                        """,
                        Map.of("RETRIES", "3", "FROM_SHELL", "shell"));
        assertThat(group.has("compose")).isFalse();
        assertThat(group.integer("persistent_disk")).isEqualTo(100);
        Fields pg = group.objects("containers").getFirst();
        assertThat(pg.string("name")).isEqualTo("pg");
        assertThat(pg.string("image")).isEqualTo("postgres:17");
        assertThat(pg.has("env_file")).isFalse();
        assertThat(pg.object("environment").tree().toString())
                .isEqualTo(
                        "{A=1, B=own, C=c 1, FROM_SHELL=shell, POSTGRES_PASSWORD_FILE=/run/secrets/pw}");
        assertThat(pg.object("healthcheck").tree().get("retries")).isEqualTo(3L);
        assertThat(pg.strings("secrets")).containsExactly("pw");
        assertThat(pg.object("deploy").object("resources").object("limits").string("memory"))
                .isEqualTo("256m");
        Fields app = group.objects("containers").getLast();
        assertThat(app.string("command")).isEqualTo("echo $HOME");
        assertThat(app.object("environment").tree().toString())
                .isEqualTo("{X=1, FROM_SHELL=shell}");
        assertThat(group.object("secrets").object("pw").string("content")).isEqualTo("planted\n");
        assertThat(group.object("configs").object("inline").string("content")).isEqualTo("a: 17");
    }

    /** Modes are octal, and stay so on their way. */
    @Test
    void modesKeepTheirDigits() throws IOException {
        Fields group =
                group(
                        """
                        services:
                          app:
                            image: app
                            environment: {mode: 0555}
                            secrets: [{source: pw, mode: 0440}]
                            configs: [{source: c, mode: 0555}, {source: d, mode: "0600"}]
                            volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 01777}}]
                        secrets: {pw: {content: x}}
                        configs: {c: {content: x}, d: {content: x}}
                        """,
                        Map.of());
        Fields app = group.objects("containers").getFirst();
        assertThat(app.objects("secrets").getFirst().tree().get("mode")).isEqualTo("0440");
        assertThat(app.objects("configs"))
                .extracting(c -> c.tree().get("mode"))
                .containsExactly("0555", "0600");
        assertThat(app.objects("volumes").getFirst().object("tmpfs").tree().get("mode"))
                .isEqualTo("01777");
        assertThat(app.object("environment").tree().get("mode")).isEqualTo(365L);
    }

    /** The group's own containers, secrets and configs come over the file's. */
    @Test
    void theManifestWins() throws IOException {
        Fields group =
                group(
                        MANIFEST
                                + """
                                  containers:
                                  - {name: pg, image: registry.berth/pg:1}
                                  - {name: extra, image: e}
                                  secrets: {pw: {content: ((db_password))}}
                                """,
                        """
                        services: {pg: {image: pg, user: root}}
                        secrets: {pw: {file: not/there}}
                        """,
                        Map.of());
        assertThat(group.objects("containers").getFirst().tree().toString())
                .isEqualTo("{name=pg, image=registry.berth/pg:1, user=root}");
        assertThat(group.objects("containers")).hasSize(2);
        assertThat(group.object("secrets").object("pw").string("content"))
                .isEqualTo("((db_password))");
    }

    /** What the manifest says itself is written again as it was: versions are no numbers. */
    @Test
    void numbersOfTheManifestKeepTheirDigits() throws IOException {
        write("compose.yml", "services: {pg: {image: pg}}\n");
        String text =
                new ComposeGroups(folder, Map.of(), warnings::add)
                        .applied(
                                MANIFEST
                                        + """
                                          containers:
                                          - {name: x, image: i, cpus: 0.50, secrets: [{source: s, mode: 0440}]}
                                        stemcells: [{alias: a, os: o, version: 1.10}]
                                        """);
        assertThat(text).contains("version: '1.10'", "mode: '0440'", "cpus: '0.50'");
        assertThat(text).contains("persistent_disk: 100");
    }

    /** A manifest without a Compose file stays as it is to the letter. */
    @Test
    void otherManifestsAreNotTouched() {
        String text = "name: a # compose\ninstance_groups: [{name: x}]\n";
        assertThat(new ComposeGroups(folder, Map.of(), warnings::add).applied(text)).isSameAs(text);
    }

    private void refused(String compose, String... words) {
        assertThatThrownBy(() -> group(compose, Map.of()))
                .isInstanceOf(CliException.class)
                .message()
                .contains("compose.yml")
                .contains(words);
    }

    /** What cannot be carried names the file, the key and the remedy. */
    @Test
    void whatCannotBeCarriedIsRefused() {
        refused("services: {a: {image: i, volumes: [./d:/d]}}", "services.a.volumes", "'./d'");
        refused("services: {a: {image: i, extends: b}}", "services.a.extends", "anchor");
        refused("services: {a: {image: i, env_file: no.env}}", "services.a.env_file", "no file");
        refused("services: {}", "services", "none");
        refused("include: [b.yml]\nservices: {a: {image: i}}", "include");
        refused("services: {a: {image: i}}\nvolumes: {d: {external: true}}", "volumes.d.external");
        refused(
                "services: {a: {image: i}}\nsecrets: {s: {external: true}}",
                "secrets.s",
                "content");
        refused("services: {a: {image: i}}\nsecrets: {s: {file: none}}", "secrets.s.file");
        refused("services: {a: {image: '${X:?say it}'}}", "services.a.image", "X", "say it");
        refused("services: {a: {image: '${X'}}", "services.a.image", "without its }");
        refused("services: {a: {image: i, command: 'echo $$((1+1))'}}", "a.command", "expr");
        refused("services: [", "compose.yml");
    }

    /** Compose's forms of variables. */
    @Test
    void variables() {
        var variables = new ComposeVariables(Map.of("A", "a", "EMPTY", ""));
        assertThat(variables.applied("$A-${A}-$$A-${EMPTY:-d}-${EMPTY-d}-${NO-d}"))
                .isEqualTo("a-a-$A-d--d");
        assertThat(variables.applied("${A:+x}${NO:+x}${EMPTY+y}${NO:-${A}${NO2:-z}}"))
                .isEqualTo("xyaz");
        assertThat(variables.unset()).isEmpty();
        assertThat(variables.applied("<${UNSET}$UNSET>")).isEqualTo("<>");
        assertThat(variables.unset()).containsExactly("UNSET");
        assertThatThrownBy(() -> variables.applied("costs 5$")).hasMessageContaining("write $$");
    }

    /** A .env beside the file has values too; the shell's win. An unset one is told of. */
    @Test
    void dotEnv() throws IOException {
        write(".env", "TAG=from-file\nOTHER=o\n");
        Fields group = group("services: {a: {image: 'i:$TAG$OTHER$NONE'}}", Map.of("TAG", "shell"));
        assertThat(group.objects("containers").getFirst().string("image")).isEqualTo("i:shello");
        assertThat(warnings).singleElement().asString().contains("NONE is not set");
    }
}

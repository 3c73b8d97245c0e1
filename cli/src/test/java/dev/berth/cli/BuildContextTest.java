package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Json;
import dev.berth.model.YamlDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which files of a folder an image is built from, and under what name they travel. */
class BuildContextTest {
    @TempDir Path folder;

    private void file(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private Map<String, String> packed() throws IOException {
        BuildContext.Packed tar = new BuildContext(folder, "Dockerfile").pack();
        var found = new TreeMap<String, String>();
        try (var in = new TarArchiveInputStream(Files.newInputStream(tar.file()))) {
            for (var e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
                String mode = Integer.toOctalString(e.getMode() & 0777);
                String what = e.isSymbolicLink() ? "-> " + e.getLinkName() : mode;
                found.put(e.getName(), what);
                assertThat(e.getLastModifiedTime().toMillis()).isZero();
                assertThat(e.getLongUserId()).isZero();
            }
        }
        Files.delete(tar.file());
        return found;
    }

    private String digest() throws IOException {
        BuildContext.Packed tar = new BuildContext(folder, "Dockerfile").pack();
        Files.delete(tar.file());
        return tar.digest();
    }

    @Test
    void sameContentIsTheSameTarWhateverItsTimesAndOwnersRights() throws IOException {
        file("Dockerfile", "FROM scratch\n");
        file("b/run.sh", "#!/bin/sh\n");
        file("a.txt", "a");
        String before = digest();
        Files.setLastModifiedTime(folder.resolve("a.txt"), FileTime.fromMillis(1_000_000));
        Files.setPosixFilePermissions(
                folder.resolve("a.txt"), PosixFilePermissions.fromString("rw-------"));
        assertThat(digest()).isEqualTo(before);
        Files.setPosixFilePermissions(
                folder.resolve("b/run.sh"), PosixFilePermissions.fromString("rwxr-xr-x"));
        String runnable = digest();
        assertThat(runnable).isNotEqualTo(before);
        file("a.txt", "b");
        assertThat(digest()).isNotIn(before, runnable);
    }

    @Test
    void whatIsIgnoredStaysHere() throws IOException {
        file("Dockerfile", "FROM scratch\n");
        file(
                ".dockerignore",
                "# notes\n*.log\nnode_modules\ntarget/**\n!target/app.jar\nDockerfile\n");
        file("x.log", "");
        file("deep/y.log", "");
        file("node_modules/m/index.js", "");
        file("target/classes/A.class", "");
        file("target/app.jar", "jar");
        Files.createSymbolicLink(folder.resolve("link"), Path.of("deep"));
        assertThat(packed())
                .containsOnlyKeys(
                        ".dockerignore",
                        "Dockerfile",
                        "deep/",
                        "deep/y.log",
                        "link",
                        "target/",
                        "target/app.jar")
                .containsEntry("link", "-> deep")
                .containsEntry("Dockerfile", "644");
    }

    @ParameterizedTest
    @CsvSource({
        "'*.log', a.log, true",
        "'*.log', b/a.log, false",
        "'**/*.log', b/c/a.log, true",
        "'**/*.log', a.log, true",
        "'/b', b/c, true",
        "'b/', b/c/d, true",
        "'./b/../c', c, true",
        "'temp?', temp1, true",
        "'temp?', temp12, false",
        "'[ab].txt', a.txt, true",
        "'[ab].txt', c.txt, false",
        "'a.b', axb, false",
        "'\\*', '*', true",
        "'\\*', 'a', false",
        "'#x', '#x', false",
        "'**', any/thing, true"
    })
    void patternsAreDockersOwn(String pattern, String path, boolean ignored) {
        assertThat(new DockerIgnore(pattern).ignores(path)).isEqualTo(ignored);
    }

    @Test
    void lastPatternThatFitsDecides() {
        var ignore = new DockerIgnore("*\n!keep\nkeep/not\n");
        assertThat(ignore.ignores("other")).isTrue();
        assertThat(ignore.ignores("keep/this")).isFalse();
        assertThat(ignore.ignores("keep/not/x")).isTrue();
    }

    // --- in a manifest

    private final List<String> taken = new ArrayList<>();

    private String applied(String manifest) {
        return new BuildContexts(
                        folder,
                        new BuildContexts.Store() {
                            @Override
                            public boolean has(String digest) {
                                return taken.contains(digest);
                            }

                            @Override
                            public void take(String digest, Path tar) {
                                taken.add(digest);
                            }
                        })
                .applied(manifest);
    }

    @Test
    void manifestNamesContextsByDigestAndEachTravelsOnce() throws IOException {
        file("app/Dockerfile", "FROM scratch\n");
        file("other.docker", "FROM scratch\nLABEL a=b\n");
        String manifest =
                applied(
                        """
                        name: shop
                        instance_groups:
                        - name: web
                          containers:
                          - {name: one, build: app}
                          - {name: two, build: {context: ./app, target: x}}
                          - {name: three, build: {context: app, dockerfile: ../other.docker}}
                          - {name: four, image: a}
                          - {name: five, build: {dockerfile_inline: FROM scratch}}
                        """);
        assertThat(taken).hasSize(1);
        String digest = taken.getFirst();
        Object group =
                Json.asList(Json.asObject(YamlDocument.value(manifest)).get("instance_groups"))
                        .getFirst();
        List<Object> containers = Json.asList(Json.asObject(group).get("containers"));
        assertThat(containers)
                .containsExactly(
                        Json.of("name", "one", "build", Json.of("context", digest)),
                        Json.of("name", "two", "build", Json.of("context", digest, "target", "x")),
                        Json.of(
                                "name",
                                "three",
                                "build",
                                Json.of(
                                        "context",
                                        digest,
                                        "dockerfile_inline",
                                        "FROM scratch\nLABEL a=b\n")),
                        Json.of("name", "four", "image", "a"),
                        Json.of(
                                "name",
                                "five",
                                "build",
                                Json.of("dockerfile_inline", "FROM scratch")));
        assertThat(applied(manifest)).isEqualTo(manifest);
    }

    /** The manifest is written again: versions in it are no numbers. */
    @Test
    void numbersKeepTheirDigits() throws IOException {
        file("app/Dockerfile", "FROM scratch\n");
        assertThat(
                        applied(
                                """
                                stemcells: [{alias: a, os: o, version: 1.10}]
                                instance_groups:
                                - {containers: [{name: web, build: {context: app, args: {V: 2.0}}}]}
                                """))
                .contains("version: '1.10'", "V: 2.0");
    }

    @Test
    void whatCannotBePackedIsToldWithItsContainer() throws IOException {
        file("app/x", "");
        String manifest = "instance_groups: [{containers: [{name: web, build: %s}]}]\n";
        assertThatThrownBy(() -> applied(manifest.formatted("nowhere")))
                .hasMessageContaining("container 'web'")
                .hasMessageContaining("there is no folder");
        assertThatThrownBy(() -> applied(manifest.formatted("app")))
                .hasMessageContaining("app/Dockerfile");
        assertThatThrownBy(() -> applied(manifest.formatted("https://example.com/a.git")))
                .hasMessageContaining("not on this machine");
    }
}

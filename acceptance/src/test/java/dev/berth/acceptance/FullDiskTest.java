package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cpi.Cpi.CloudObject;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A second environment beside the shared one, on a disk that fills up: neither knows of the other,
 * and a full disk is told of and breaks nothing.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
class FullDiskTest {
    /** Room for the registry's images and for a stemcell on its way in. */
    private static final long MEGABYTES = 1800;

    @Test
    void environmentsLiveSideBySideAndAFullDiskBreaksNothing(TestEnvironment other)
            throws IOException {
        Path folder = TestEnvironment.usualPlace().resolve("full");
        try (var disk = new SmallDisk(folder, MEGABYTES);
                var environment = new TestEnvironment(disk.path().resolve("home"))) {
            environment.up().withImages();
            assertApart(environment, other);
            try (DirectorClient director = environment.director()) {
                var box = new Box(environment, "box");
                director.await(director.deploy(box.manifest())).done();
                box.assertWell(director);
                theOtherSeesNothingOfIt(other);
                fullDisk(disk, environment, director, box);
                startOnAFullDisk(disk, environment, director, box);
                Deployments.delete(director, box.name());
            }
        }
    }

    private static void assertApart(TestEnvironment one, TestEnvironment other) {
        assertThat(one.base()).isNotEqualTo(other.base());
        assertThat(Stream.of(one, other).map(e -> e.file().apiPort()).distinct()).hasSize(2);
        assertThat(Stream.of(one, other).map(e -> e.file().busPort()).distinct()).hasSize(2);
        assertThat(Stream.of(one, other).map(e -> e.file().registryPort()).distinct()).hasSize(2);
    }

    private static void theOtherSeesNothingOfIt(TestEnvironment other) {
        assertThat(other.found(CloudObject.Kind.VM)).isEmpty();
        try (DirectorClient director = other.director()) {
            assertThat(director.list("/deployments")).isEmpty();
        }
    }

    /** The director goes on, says what is wrong, and does what was asked once there is room. */
    private static void fullDisk(
            SmallDisk disk, TestEnvironment environment, DirectorClient director, Box box) {
        Map<String, String> vms = box.vms(director);
        var before = box.touches(vms);
        try (var full = disk.full()) {
            whileFull(environment, director, box);
            assertThat(box.touches(vms).get("keep/0")).isEqualTo(before.get("keep/0"));
        }
        // Whatever had begun comes to its end by itself.
        director.tasks().forEach(task -> director.await(task.integer("id")));
        director.await(director.deploy(box.round(2))).done();
        box.assertWell(director);
        assertThat(box.vms(director)).isEqualTo(vms);
        assertSound(environment);
    }

    private static void whileFull(TestEnvironment environment, DirectorClient director, Box box) {
        var answer =
                director.send("POST", "/deployments", BodyPublishers.ofString(otherFront(box)));
        if (answer.statusCode() / 100 != 3) {
            assertThat(answer.statusCode()).isEqualTo(500);
            assertThat(answer.body()).contains("database failed", "space on its disk");
        }
        assertThat(director.get("/info").statusCode()).isEqualTo(200);
        assertThat(director.containers(box.name())).hasSize(Box.CONTAINERS);
        assertThat(environment.berth("vms", "-d", box.name()).said())
                .doesNotContain("\tat dev.berth");
        Shell.Ran upload = environment.berth("upload-stemcell", stemcell().toString(), "--fix");
        assertThat(upload.code()).isEqualTo(1);
        assertThat(upload.said()).containsIgnoringCase("space").doesNotContain("\tat dev.berth");
    }

    /** Moves what holds no data: {@code keep/0} is not to notice, whatever becomes of the rest. */
    private static String otherFront(Box box) {
        int at = box.manifest().lastIndexOf("ROUND: \"1\"");
        return box.manifest().substring(0, at) + box.manifest().substring(at).replace('1', '2');
    }

    /** A director killed on a full disk says why it cannot start, or starts; with room it does. */
    private static void startOnAFullDisk(
            SmallDisk disk, TestEnvironment environment, DirectorClient director, Box box) {
        Map<String, String> vms = box.vms(director);
        var before = box.touches(vms);
        try (var full = disk.full()) {
            environment.killDirector();
            Shell.Ran up = environment.berth("up");
            assertThat(up.said()).doesNotContain("\tat dev.berth");
            if (up.code() != 0) {
                assertThat(up.said())
                        .containsAnyOf("No space left on device", "disk is full", "full");
            }
            assertThat(box.touches(vms)).isEqualTo(before);
        }
        environment.up();
        environment.awaitAllUp(director, box.name(), Box.CONTAINERS);
        assertThat(box.touches(vms)).isEqualTo(before);
        box.assertWell(director);
        assertSound(environment);
    }

    /** The database is whole, as its own check says. */
    private static void assertSound(TestEnvironment environment) {
        Path database = environment.home().resolve("director/berth.db");
        try (var connection = java.sql.DriverManager.getConnection("jdbc:sqlite:" + database);
                var statement = connection.createStatement();
                var answer = statement.executeQuery("pragma integrity_check")) {
            assertThat(answer.next()).isTrue();
            assertThat(answer.getString(1)).isEqualTo("ok");
        } catch (java.sql.SQLException e) {
            throw new AssertionError("the database cannot be checked", e);
        }
    }

    private static Path stemcell() {
        Path folder = TestEnvironment.launcherHome().resolve("cache/stemcell");
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(".tar")).findFirst().orElseThrow();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}

package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** The example's Compose project, deployed by the command line as it stands. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class ComposeProjectTest {
    private static final String NAME = "guestbook";
    private static final String INSTANCE = NAME + "/0";

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final Path project;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    ComposeProjectTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.project = TestEnvironment.launcher().resolveSibling("examples/compose");
    }

    @BeforeAll
    void deploy() {
        // The file of the password, which is not there, is not missed: the manifest has its own.
        environment.berth("deploy", "-n", "-d", NAME, manifest()).ok();
    }

    @AfterAll
    void clean() {
        http.close();
        Deployments.delete(director, NAME);
        director.close();
    }

    private String manifest() {
        return project.resolve("guestbook.yml").toString();
    }

    @Test
    @Order(1)
    void servicesAreUpInTheOrderOfTheirHealthAndTheMigrationHasRunOnce() {
        assertThat(director.containers(NAME))
                .extracting(c -> c.string("name") + " " + c.string("state"))
                .containsExactlyInAnyOrder("app up", "db up", "migrate done", "web up");
        Map<String, Touch> touches = environment.containersIn(vm());
        assertThat(OneVm.started(touches, "migrate")).isAfter(OneVm.started(touches, "db"));
        assertThat(OneVm.started(touches, "app")).isAfter(OneVm.started(touches, "migrate"));
        assertThat(OneVm.started(touches, "web")).isAfter(OneVm.started(touches, "app"));
        assertThat(inside("docker logs migrate")).contains("the schema is that of 1");
        assertThat(migrations()).isEqualTo("1");
        assertThat(get("/").statusCode()).isEqualTo(200);
        assertThat(get("/cgi-bin/book?ada").body().strip()).isEqualTo("1");
        assertThat(get("/cgi-bin/book").body().strip()).isEqualTo("1 ada");
    }

    @Test
    @Order(2)
    void secretIsAFileInMemoryAndNowhereElse() throws IOException {
        String secret = inside("docker exec app cat /run/secrets/db_password").strip();
        assertThat(secret).hasSizeGreaterThan(10);
        assertThat(inside("docker exec db stat -f -c %T /run/secrets/db_password").strip())
                .isEqualTo("tmpfs");
        assertThat(inside("docker exec app stat -c %a /www/cgi-bin/guestbook").strip())
                .isEqualTo("555");
        assertThat(inside("docker exec web cat /www/cgi-bin/book")).startsWith("#!/bin/sh");
        assertThat(inside("docker inspect $(docker ps -aq)"))
                .contains("db_password")
                .doesNotContain(secret);
        assertThat(inside("for c in $(docker ps -aq); do docker logs $c 2>&1; done"))
                .doesNotContain(secret);
        assertThat(
                        inside(
                                "grep -rlF -- '"
                                        + secret
                                        + "' /var/vcap/data /var/vcap/store /var/vcap/bosh/log /etc 2>/dev/null || true"))
                .as("files on disks of the VM")
                .isBlank();
        assertThat(environment.berth("manifest", "-d", NAME).ok())
                .contains("((db_password))")
                .doesNotContain(secret);
        assertThat(environment.berth("why", "-d", NAME, INSTANCE).ok()).doesNotContain(secret);
        try (Stream<Path> files = Files.walk(environment.home().resolve("director"))) {
            assertThat(files.filter(Files::isRegularFile).filter(f -> holds(f, secret)))
                    .as("files of the director: tasks, log, database")
                    .isEmpty();
        }
    }

    @Test
    @Order(3)
    void sameProjectAgainMovesNothing() {
        Map<String, Touch> before = environment.containersIn(vm());
        environment.berth("deploy", "-n", "-d", NAME, manifest()).ok();
        assertThat(environment.containersIn(vm())).isEqualTo(before);
    }

    @Test
    @Order(4)
    void dataOutlivesTheVm() {
        String old = vm();
        environment.berth("recreate", "-n", "-d", NAME, INSTANCE).ok();
        assertThat(vm()).isNotEqualTo(old);
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(
                        () -> assertThat(get("/cgi-bin/book").body().strip()).isEqualTo("1 ada"));
        assertThat(get("/cgi-bin/book?grace").body().strip()).isEqualTo("2");
        assertThat(migrations()).as("once on each VM").isEqualTo("2");
        environment.assertNothingLeaked(director);
    }

    private String vm() {
        return environment.instances(director, NAME).get(INSTANCE).string("vm_cid");
    }

    private String inside(String script) {
        return environment.inVm(vm(), script).ok();
    }

    private String migrations() {
        return inside(
                        "docker exec db sh -c 'PGPASSWORD=$(cat /run/secrets/db_password) psql -h 127.0.0.1 -U postgres -qtAX -c \"select count(*) from migrations\"'")
                .strip();
    }

    private HttpResponse<String> get(String path) {
        String address =
                environment.instances(director, NAME).get(INSTANCE).strings("ips").getFirst();
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + address + path))
                        .timeout(Duration.ofSeconds(10))
                        .build();
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    private static boolean holds(Path file, String text) {
        try {
            return new String(
                            Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1)
                    .contains(text);
        } catch (IOException e) {
            return false; // it has gone meanwhile
        }
    }
}

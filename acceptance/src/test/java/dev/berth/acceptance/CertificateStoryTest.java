package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Certificates change under a running VM: renewed, of another CA, refused; through all of it its
 * containers and the VM itself are never touched.
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class CertificateStoryTest {
    private static final String NAME = "certificates";
    private static final String OVERLAY = "/var/vcap/bosh/update_settings.json";
    private static final String AGENT =
            "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null"
                    + " | grep -q '^[^ ]*java .*dev.berth.agent.Main' && echo ${p#/proc/}; done; true";

    private static final String MANIFEST =
            """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
            instance_groups:
            - name: db
              instances: 1
              azs: [z1]
              vm_type: default
              stemcell: default
              networks: [{name: default}]
              containers:
              - {name: writer, image: "registry.berth/shop-web:1", entrypoint: [sleep, "100000"]}
            """
                    .formatted(NAME);

    private final TestEnvironment environment;
    private DirectorClient director;
    private String vm;
    private Map<String, Touch> untouched;

    CertificateStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @BeforeAll
    void deploy() {
        director.await(director.deploy(MANIFEST)).done();
        environment.awaitAllUp(director, NAME, 1);
        vm = instance().string("vm_cid");
        untouched = environment.containersIn(vm);
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        director.close();
    }

    @Test
    @Order(1)
    void theAgentMovesToANewCertificateWhoseKeyNeverLeftTheVm() throws IOException {
        String agent = agentPid();
        assertThat(environment.berth("renew-certificates").ok())
                .contains("1 agents have new certificates");
        Fields kept = overlay().object("mbus").object("cert");
        assertThat(kept.string("private_key")).contains("BEGIN PRIVATE KEY");
        assertThat(environment.inVm(vm, "stat -c %a " + OVERLAY).ok().strip()).isEqualTo("600");
        assertThat(agentPid()).isEqualTo(agent);
        assertThat(row().string("trouble")).isEmpty();
        String line = kept.string("private_key").lines().skip(1).findFirst().orElseThrow();
        for (String file : List.of("director/log", "director/nats/nats.log")) {
            Path path = environment.home().resolve(file);
            assertThat(!Files.exists(path) || !Files.readString(path).contains(line)).isTrue();
        }
        assertUntouched();
    }

    @Test
    @Order(2)
    void theCaIsChangedAndAllGoOnWithTheNewOne() throws IOException {
        Path file = environment.home().resolve("pki/ca.crt");
        String before = Files.readString(file);
        long bus = environment.pidOf("nats.conf");
        assertThat(environment.berth("rotate-ca", "-n").ok()).contains("the CA was changed");
        director.close();
        director = environment.director();
        assertThat(Files.readString(file)).isNotEqualTo(before).containsOnlyOnce("BEGIN");
        assertThat(environment.home().resolve("pki/ca-next.key")).doesNotExist();
        assertThat(environment.pidOf("nats.conf")).isEqualTo(bus);
        assertThat(row().flag("former_ca", true)).isFalse();
        // The agent's next life, and the daemon's way to the registry, by the new CA alone: it asks
        // for a password, which by hand there is none, when its certificate is believed.
        environment.inVm(vm, "kill -9 " + agentPid()).ok();
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(() ->
                        assertThat(environment.inVm(vm, pull()).err())
                                .containsPattern(
                                        "no basic auth credentials|unauthorized|authentication"
                                                + " required"));
        awaitVerdict("well");
        assertThat(environment.berth("certificates").ok()).doesNotContain("of the former CA");
        assertUntouched();
    }

    private static String pull() {
        return "docker pull -q registry.berth/shop-web:1";
    }

    @Test
    @Order(3)
    void anAgentThatIsRefusedIsToldOfAndLeftAlone(@TempDir Path folder) throws IOException {
        List<Long> repairs = repairs();
        String good = environment.inVm(vm, "cat " + OVERLAY).ok();
        AgentId id = new AgentId(instance().string("agent_id"));
        AgentSettings.Certificate foreign = Pki.open(folder, Clock.SYSTEM).agent(id);
        overwrite(
                good,
                Json.of(
                        "ca",
                        Files.readString(environment.home().resolve("pki/ca.crt")),
                        "certificate",
                        foreign.certificate(),
                        "private_key",
                        foreign.privateKey()));
        awaitVerdict("locked out");
        // Long after a silent agent's VM would have been rebooted.
        Instant heard = Instant.parse(why().object("vm").string("last_seen"));
        await().atMost(TestEnvironment.SOON)
                .until(() -> heard.plus(Duration.ofSeconds(22)).isBefore(Instant.now()));
        awaitVerdict("locked out");
        assertThat(repairs()).isEqualTo(repairs);
        assertThat(environment.berth("alerts").ok()).contains("locked out of the bus");
        assertUntouched();
        overwrite(good, overlay(good).object("mbus").object("cert").tree());
        awaitVerdict("well");
        await().atMost(TestEnvironment.SOON)
                .until(() -> !environment.berth("alerts").ok().contains("locked out"));
        assertUntouched();
    }

    /** And has the agent begin anew, which reads it then. */
    private void overwrite(String whole, Map<String, Object> certificate) {
        Map<String, Object> overlay = Json.object(whole);
        Json.asObject(overlay.get("mbus")).put("cert", certificate);
        String text =
                Base64.getEncoder()
                        .encodeToString(
                                Json.write(overlay)
                                        .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        String agent = agentPid();
        environment.inVm(vm, "echo " + text + " | base64 -d > " + OVERLAY).ok();
        environment.inVm(vm, "kill -9 " + agent).ok();
    }

    // --- looking

    private void assertUntouched() {
        assertThat(instance().string("vm_cid")).isEqualTo(vm);
        assertThat(environment.containersIn(vm)).isEqualTo(untouched);
    }

    private Fields instance() {
        return environment.instances(director, NAME).get("db/0");
    }

    private Fields why() {
        return Fields.of(
                Json.parse(
                        director.get(
                                        "/deployments/"
                                                + NAME
                                                + "/instances/db/"
                                                + instance().string("id")
                                                + "/why")
                                .body()),
                "why");
    }

    private Fields overlay() {
        return overlay(environment.inVm(vm, "cat " + OVERLAY).ok());
    }

    private static Fields overlay(String text) {
        return Fields.of(Json.parse(text), "overlay");
    }

    private String agentPid() {
        return environment.inVm(vm, AGENT).out().strip();
    }

    private Fields row() {
        Object told = Json.parse(director.get("/certificates").body());
        return Fields.of(told, "certificates").objects("certificates").stream()
                .filter(one -> one.string("of").startsWith(NAME + ":"))
                .findFirst()
                .orElseThrow();
    }

    private void awaitVerdict(String begin) {
        await().atMost(TestEnvironment.SOON)
                .untilAsserted(
                        () -> assertThat(instance().string("verdict", "")).startsWith(begin));
    }

    private List<Long> repairs() {
        return director.tasks().stream()
                .filter(t -> t.string("deployment", "").equals(NAME))
                .filter(t -> t.string("description").equals("scan and fix"))
                .map(t -> t.integer("id"))
                .toList();
    }
}

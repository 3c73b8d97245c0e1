package dev.berth.director;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.bus.AgentException;
import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import dev.berth.wire.Alert;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When certificates are made anew, what is told when they cannot be, and the way from one CA to the
 * next with agents that are away, with real keys and certificates.
 */
@NullUnmarked // what is not there fails the test, as it should
class CertificateKeeperTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final AgentId A = new AgentId("a-1");
    private static final AgentId B = new AgentId("a-2");

    @TempDir Path folder;

    private final Store store = SqlStore.sqliteInMemory();
    private final ApiFixture.FakeFleet fleet = new ApiFixture.FakeFleet();
    private final Agents agents = new Agents();
    private final Told told = new Told();
    private final HandClock clock = new HandClock();
    private final List<String> served = new ArrayList<>();
    private Tasks tasks;
    private Pki pki;
    private CertificateKeeper keeper;

    @BeforeEach
    void start() throws Exception {
        pki = Pki.open(folder.resolve("pki"), clock);
        instance("i-1", A, "vm-1");
        instance("i-2", B, "vm-2");
        for (AgentId agent : List.of(A, B)) {
            var given = pki.agent(agent);
            store.update(s ->
                    s.saveAgentCertificate(
                            CertificateDoor.row(pki, agent, given.ca(), given.certificate())));
        }
        Path outputs = Files.createDirectories(folder.resolve("tasks"));
        tasks =
                new Tasks(
                        store,
                        outputs,
                        Clock.SYSTEM,
                        new Tasks.Bounds(8, 8, Duration.ofMillis(100), 1000));
        keeper = keeper();
        keeper.register(tasks);
        tasks.start();
    }

    @AfterEach
    void stop() {
        tasks.close();
        store.close();
    }

    private CertificateKeeper keeper() {
        return new CertificateKeeper(
                pki,
                store,
                fleet,
                new AgentRenewal(pki, store, agents, List.of("nats://10.0.0.1:4222")),
                new Servers(),
                new CertificateAlerts(pki, store, told, clock),
                clock);
    }

    private void instance(String id, AgentId agent, String vm) {
        store.update(s -> {
            if (s.deployment("shop").isEmpty()) {
                s.saveDeployment(
                        new Rows.Deployment(
                                "shop", null, List.of(), List.of(), List.of(), Map.of(), START));
            }
            int index = Integer.parseInt(id.substring(2)) - 1;
            s.saveInstance(
                    new Rows.Instance(
                            new InstanceId(id),
                            "shop",
                            "db",
                            index,
                            "z1",
                            "started",
                            true,
                            false,
                            true,
                            Map.of(),
                            START));
            s.saveVm(
                    new Rows.Vm(
                            agent,
                            new VmCid(vm),
                            new InstanceId(id),
                            "",
                            Json.of(),
                            true,
                            false,
                            START));
        });
    }

    @Test
    void anAgentGetsAnotherInTheLastThirdOfItsLifeAndNotBefore() throws Exception {
        clock.now = START.plus(Duration.ofDays(486));
        keeper.turn();
        assertThat(agents.used).isEmpty();
        clock.now = START.plus(Duration.ofDays(487));
        keeper.turn();
        assertThat(agents.used).containsOnlyKeys(A, B);
        assertThat(row(A).endsAt()).isEqualTo(clock.now.plus(Duration.ofDays(730)));
        agents.used.clear();
        keeper.turn();
        assertThat(agents.used).isEmpty();
        List<Rows.Event> events = store.read(s -> s.events(null, null, 99));
        assertThat(events)
                .filteredOn(e -> e.objectType().equals("certificate"))
                .extracting(e -> e.user() + " " + e.action() + " " + e.objectName())
                .contains("scheduler renew agent a-1", "scheduler renew agent a-2");
    }

    @Test
    void whatFailsIsTriedAgainAfterAWhileAndToldOfInGoodTime() throws Exception {
        agents.refusing = true;
        clock.now = START.plus(Duration.ofDays(500));
        keeper.turn();
        assertThat(row(A).trouble()).contains("the bus does not take the new certificate");
        assertThat(row(A).endsAt()).isEqualTo(START.plus(Duration.ofDays(730)));
        int asked = agents.asked;
        clock.now = clock.now.plusSeconds(60);
        keeper.turn();
        assertThat(agents.asked).isEqualTo(asked);
        clock.now = clock.now.plusSeconds(600);
        keeper.turn();
        assertThat(agents.asked).isGreaterThan(asked);
        assertThat(told.open).isEmpty();
        clock.now = START.plus(Duration.ofDays(620));
        keeper.turn();
        assertThat(told.open).containsOnlyKeys("certificate/agents");
        assertThat(told.open.get("certificate/agents"))
                .contains("about to end", "2 of them", "does not take the new certificate");
        clock.now = START.plus(Duration.ofDays(731));
        keeper.turn();
        assertThat(told.open.get("certificate/agents")).contains("have ended");
        agents.refusing = false;
        clock.now = clock.now.plusSeconds(601);
        keeper.turn();
        assertThat(told.open).isEmpty();
        assertThat(row(A).trouble()).isEmpty();
    }

    @Test
    void theCaIsToldOfAQuarterOfAYearBefore() throws Exception {
        clock.now = START.plus(Duration.ofDays(3_650 - 91));
        keeper.turn();
        assertThat(told.open).isEmpty();
        clock.now = START.plus(Duration.ofDays(3_650 - 89));
        keeper.turn();
        assertThat(told.open.get("certificate/ca")).contains("is about to end", "berth rotate-ca");
        assertThat(rotated()).startsWith("the CA was changed");
        assertThat(told.open).isEmpty();
    }

    @Test
    void theFormerCaGoesWhenTheLastAgentHasItsCertificateOfTheNewOne() throws Exception {
        String former = pki.signer();
        fleet.silent.add(B);
        assertThat(rotated()).startsWith("both CAs are trusted until 1 agents");
        assertThat(Files.readString(folder.resolve("tasks/1/event")))
                .contains("no new certificate for shop: db/1: its agent is not heard")
                .doesNotContain("db/0");
        assertThat(pki.isRotating()).isTrue();
        assertThat(row(A).signer()).isEqualTo(pki.signer()).isNotEqualTo(former);
        assertThat(row(B).signer()).isEqualTo(former);
        keeper.turn();
        assertThat(pki.isRotating()).isTrue();
        // Another director goes on where this one was; and B comes back.
        pki = Pki.open(folder.resolve("pki"), clock);
        fleet.silent.clear();
        keeper = keeper();
        keeper.turn();
        assertThat(pki.isRotating()).isFalse();
        assertThat(row(B).signer()).isEqualTo(pki.signer());
        // What agents trust of the former CA goes with the next turn.
        assertThat(row(B).trust()).isNotEqualTo(pki.trust());
        keeper.turn();
        assertThat(row(B).trust()).isEqualTo(pki.trust());
        assertThat(row(A).trust()).isEqualTo(pki.trust());
        assertThat(agents.used.get(B).string("ca")).isEqualTo(pki.caCertificate());
        assertThat(served).contains("trust", "due");
    }

    @Test
    void aTaskThatIsGoneOnWithAfterItsEndChangesNothing() throws Exception {
        Map<String, Object> payload = keeper.rotation();
        assertThat(run(CertificateKeeper.ROTATE, payload)).startsWith("the CA was changed");
        String signer = pki.signer();
        assertThat(run(CertificateKeeper.ROTATE, payload)).isEqualTo("the CA was changed");
        assertThat(pki.signer()).isEqualTo(signer);
    }

    @Test
    void aStockAgentGetsKeyAndCertificateByItsSettings() throws Exception {
        agents.stock = true;
        assertThat(run(CertificateKeeper.RENEW, Json.of()))
                .isEqualTo("2 agents have new certificates");
        Fields overlay = agents.used.get(A);
        assertThat(overlay.tree())
                .containsEntry("trusted_certs", "")
                .containsEntry("disk_associations", List.of());
        assertThat(overlay.object("mbus").strings("urls")).containsExactly("nats://10.0.0.1:4222");
        assertThat(overlay.object("mbus").object("cert").string("private_key")).contains("PRIVATE");
        // Nothing that is told or kept of it has the key.
        String kept =
                store.read(s -> s.events(null, null, 99) + "" + s.tasks(null, null, null, 99))
                        + store.read(s -> s.agentCertificates());
        assertThat(kept).doesNotContain("PRIVATE");
    }

    private String rotated() throws InterruptedException {
        return run(CertificateKeeper.ROTATE, keeper.rotation());
    }

    private String run(String type, Map<String, Object> payload) throws InterruptedException {
        long id = tasks.enqueue(type, type, "admin", null, "", payload).id();
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!task(id).state().matches("done|error") && System.nanoTime() < end) {
            Thread.sleep(5);
        }
        assertThat(task(id).state()).as(task(id).result()).isEqualTo("done");
        return task(id).result();
    }

    private Rows.Task task(long id) {
        return store.read(s -> s.task(id)).orElseThrow();
    }

    private Rows.AgentCertificate row(AgentId agent) {
        return store.read(s -> s.agentCertificates()).stream()
                .filter(c -> c.agent().equals(agent))
                .findFirst()
                .orElseThrow();
    }

    private static final class HandClock implements Clock {
        private volatile Instant now = START;

        @Override
        public Instant now() {
            return now;
        }

        @Override
        public void sleep(Duration time) {
            throw new UnsupportedOperationException();
        }
    }

    private final class Servers implements CertificateKeeper.Servers {
        @Override
        public List<String> renewDue() {
            served.add("due");
            return List.of();
        }

        @Override
        public void forgetAll() {
            served.add("all");
        }

        @Override
        public void trustChanged() {
            served.add("trust");
        }
    }

    private static final class Told implements AlertSink {
        private final Map<String, String> open = new HashMap<>();

        @Override
        public void raised(Alert alert) {
            open.put(alert.id(), alert.title() + "; " + alert.summary());
        }

        @Override
        public void resolved(String id, String title) {
            open.remove(id);
        }

        @Override
        public void waiting(String about, String reason) {}
    }

    /** Agents that make keys as ours do; or as stock ones do not. */
    private static final class Agents extends Answering {
        private final Map<AgentId, KeyPair> keys = new HashMap<>();
        private final Map<AgentId, Fields> used = new HashMap<>();
        private boolean refusing;
        private boolean stock;
        private int asked;

        @Override
        synchronized Object answer(AgentId agent, String method, List<Object> arguments) {
            asked++;
            if (stock && !method.equals("update_settings")) {
                throw new AgentException(
                        AgentException.Kind.UNKNOWN_METHOD, "unknown message " + method);
            }
            return switch (method) {
                case "new_bus_key" -> newKey(agent);
                case "use_bus_certificate", "update_settings" -> {
                    if (refusing) {
                        throw new AgentException(
                                AgentException.Kind.FAILED,
                                "Action Failed get_task: Task 1 result: the bus does not take the"
                                        + " new certificate");
                    }
                    used.put(agent, Fields.of(arguments.getFirst(), "argument"));
                    yield "ok";
                }
                default -> throw new AssertionError(method);
            };
        }

        private Object newKey(AgentId agent) {
            try {
                KeyPair pair = KeyPairGenerator.getInstance("EC").generateKeyPair();
                keys.put(agent, pair);
                Signature proof = Signature.getInstance("SHA256withECDSA");
                proof.initSign(pair.getPrivate());
                proof.update(agent.value().getBytes(UTF_8));
                return Json.of(
                        "public_key",
                        Base64.getEncoder().encodeToString(pair.getPublic().getEncoded()),
                        "proof",
                        Base64.getEncoder().encodeToString(proof.sign()));
            } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }
    }

    private abstract static class Answering implements dev.berth.bus.AgentCalls {
        abstract Object answer(AgentId agent, String method, List<Object> arguments);

        @Override
        public Object call(
                AgentId agent,
                String method,
                List<Object> arguments,
                Duration limit,
                java.util.function.BooleanSupplier cancelled) {
            return answer(agent, method, arguments);
        }

        @Override
        public void tell(AgentId agent, String method, List<Object> arguments) {
            throw new UnsupportedOperationException();
        }
    }
}

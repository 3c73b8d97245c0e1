package dev.berth.supervisor;

import static dev.berth.supervisor.SupervisorTest.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.engine.DockerEngine;
import dev.berth.model.Clock;
import dev.berth.model.ContainerSpec;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Supervisor and watch of the daemon on a real engine. */
@Tag("engine")
class SupervisorEngineTest {
    private PrivateDockerd dockerd;
    private final SupervisorMemory memory = SupervisorMemory.volatileOne();
    private @Nullable Supervisor supervisor;
    private @Nullable DaemonWatch watch;

    SupervisorEngineTest() throws IOException {
        dockerd = new PrivateDockerd();
    }

    @BeforeEach
    void begin() throws Exception {
        dockerd.start();
        dockerd.importImage();
    }

    @AfterEach
    void end() throws Exception {
        leave();
        dockerd.close();
    }

    private void leave() {
        if (watch != null) {
            watch.close();
        }
        if (supervisor != null) {
            supervisor.close();
        }
    }

    private Supervisor open() {
        var config =
                new SupervisorConfig(
                        "i1",
                        "boot",
                        dockerd.home.resolve("store"),
                        dockerd.home.resolve("vardata"),
                        "berth",
                        Duration.ofSeconds(10));
        var s =
                new Supervisor(
                        dockerd.engine,
                        config,
                        Clock.SYSTEM,
                        () -> new DiskState.Proven("d"),
                        RegistryAuths.none(),
                        memory);
        supervisor = s;
        s.open();
        var w =
                new DaemonWatch(
                        new DockerEngine(dockerd.home.resolve("docker.sock")),
                        dockerd.process,
                        Clock.SYSTEM,
                        s::reconciled,
                        s::daemon);
        watch = w;
        w.open();
        return s;
    }

    private static Specs sleeper(String name) {
        return Specs.named(name)
                .image(PrivateDockerd.IMAGE)
                .command("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done");
    }

    private static ContainerStatus of(Supervisor s, String name) {
        return s.status().containers().stream()
                .filter(c -> c.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Map<String, String> startTimes() {
        var times = new TreeMap<String, String>();
        for (var row : dockerd.engine.listContainers(Map.of(), Duration.ofSeconds(5))) {
            Fields f =
                    Fields.of(
                            dockerd.engine
                                    .inspectContainer(String.valueOf(row.get("Id")))
                                    .orElseThrow(),
                            "container");
            times.put(f.string("Name"), f.object("State").string("StartedAt"));
        }
        return times;
    }

    /** A killed container is back, its dependents after it, in order; the rest is left alone. */
    @Test
    void aKilledContainerComesBackWithItsDependents() throws Exception {
        Supervisor s = open();
        List<ContainerSpec> specs =
                List.of(
                        sleeper("web").after("app").make(),
                        sleeper("app").link("db", "base").make(),
                        sleeper("db").volume(Volume.Kind.STORE, "containers/db", "/data").make(),
                        sleeper("log").make());
        s.prepare(specs);
        s.wish(specs);
        s.start();
        await(() -> s.status().jobState().equals("running"));
        assertThat(dockerd.home.resolve("store/containers/db")).isDirectory();
        Map<String, String> before = startTimes();
        dockerd.engine.killContainer("db", "KILL");
        await(() -> of(s, "web").restarts() == 1 && s.status().jobState().equals("running"));
        Map<String, String> after = startTimes();
        assertThat(after.get("/log")).isEqualTo(before.get("/log"));
        assertThat(after.get("/db")).isLessThan(after.get("/app"));
        assertThat(after.get("/app")).isLessThan(after.get("/web"));
        assertThat(of(s, "db").lastExitCode()).isEqualTo(137);
        assertThat(of(s, "app").cause()).contains("db");
        var names =
                dockerd.engine.exec(
                        "app",
                        List.of("sh", "-c", "while read l; do echo \"$l\"; done </etc/resolv.conf"),
                        Map.of(),
                        Duration.ofSeconds(5));
        assertThat(names.stdout()).as("the embedded DNS serves names").contains("127.0.0.11");
        assertThat(s.stop(Duration.ofSeconds(20))).isEmpty();
        assertThat(s.status().jobState()).isEqualTo("stopped");
    }

    /** The daemon killed, and halted: both times it is back and nothing that ran was touched. */
    @Test
    void aLostDaemonComesBackAndNothingIsTouched() throws Exception {
        Supervisor s = open();
        s.wish(List.of(sleeper("db").make(), sleeper("app").after("db").make()));
        s.start();
        await(() -> s.status().jobState().equals("running"));
        Map<String, String> before = startTimes();
        long pid = dockerd.pid();
        dockerd.process.signal(pid, DaemonProcess.Signal.KILL);
        Instant killed = Instant.now();
        await(() -> dockerd.process.find().filter(d -> d.pid() != pid).isPresent());
        await(() -> s.status().daemon() == DaemonState.UP);
        System.out.println("daemon killed -> up again " + Duration.between(killed, Instant.now()));
        assertThat(startTimes()).isEqualTo(before);
        dockerd.engine.killContainer("db", "KILL");
        await(() -> of(s, "app").restarts() == 1 && s.status().jobState().equals("running"));
        leave();
        Map<String, String> running = startTimes();
        Supervisor next = open();
        await(() -> next.status().jobState().equals("running"));
        assertThat(startTimes()).isEqualTo(running);
    }

    /** A daemon whose threads are halted is noticed within 20 s and replaced within 40 s. */
    @Test
    void aHaltedDaemonIsReplaced() throws Exception {
        Supervisor s = open();
        s.wish(List.of(sleeper("db").make()));
        s.start();
        await(() -> s.status().jobState().equals("running"));
        Map<String, String> before = startTimes();
        new ProcessBuilder("sh", "-c", "kill -s STOP " + dockerd.pid()).start().waitFor();
        Instant halted = Instant.now();
        awaitFor(20, () -> s.status().daemon() == DaemonState.HUNG);
        awaitFor(25, () -> s.status().daemon() == DaemonState.UP);
        assertThat(Duration.between(halted, Instant.now())).isLessThan(Duration.ofSeconds(40));
        assertThat(startTimes()).isEqualTo(before);
    }

    private static void awaitFor(int seconds, java.util.function.BooleanSupplier condition)
            throws InterruptedException {
        Instant limit = Instant.now().plusSeconds(seconds);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("within " + seconds + " s").isBefore(limit);
            Thread.sleep(20);
        }
    }

    /** A crash loop slows down, says so, keeps the last lines, and hurts nobody else. */
    @Test
    void aCrashLoopBacksOff() throws Exception {
        Supervisor s = open();
        s.wish(
                List.of(
                        sleeper("ok").make(),
                        Specs.named("bad")
                                .image(PrivateDockerd.IMAGE)
                                .command("sh", "-c", "echo going down; exit 7")
                                .make(),
                        Specs.named("none")
                                .image(PrivateDockerd.IMAGE)
                                .command("/no/such")
                                .make()));
        s.start();
        await(() -> of(s, "bad").failures() >= 4);
        assertThat(s.status().jobState()).isEqualTo("failing");
        ContainerStatus bad = of(s, "bad");
        assertThat(bad.lastExitCode()).isEqualTo(7);
        assertThat(bad.lastLog()).contains("going down");
        assertThat(of(s, "ok").restarts()).isZero();
        assertThat(of(s, "none").reason()).contains("/no/such");
        assertThat(of(s, "none").state()).isEqualTo("blocked");
    }

    /**
     * New limits are set on the living process; a new image takes the old one's name and place, and
     * taken back the very container that ran before is there again.
     */
    @Test
    void changesWithTheLeastMotion() throws Exception {
        Supervisor s = open();
        s.wish(List.of(sleeper("aa").memory(64 << 20).make(), sleeper("bb").after("aa").make()));
        s.start();
        await(() -> s.status().jobState().equals("running"));
        Map<String, String> before = startTimes();
        List<ContainerSpec> wider =
                List.of(sleeper("aa").memory(96 << 20).make(), sleeper("bb").after("aa").make());
        s.wish(wider);
        await(() -> of(s, "aa").specDigest().equals(wider.getFirst().digest()));
        assertThat(startTimes()).isEqualTo(before);
        Fields host = Fields.of(dockerd.engine.inspectContainer("aa").orElseThrow(), "container");
        assertThat(host.object("HostConfig").integer("Memory")).isEqualTo(96 << 20);
        await(() -> s.status().jobState().equals("running"));
        String old = String.valueOf(of(s, "aa").containerId());
        s.wish(
                List.of(
                        sleeper("aa").memory(96 << 20).env("V", "2").checked("exit 1").make(),
                        sleeper("bb").after("aa").make()));
        await(() -> !old.equals(of(s, "aa").containerId()) && of(s, "aa").startedAtMillis() > 0);
        assertThat(s.status().jobState()).isEqualTo("starting");
        assertThat(dockerd.engine.inspectContainer(old)).as("kept for the way back").isPresent();
        assertThat(startTimes()).containsKey("/aa");
        s.wish(wider);
        await(() -> old.equals(of(s, "aa").containerId()) && jobRuns(s));
        await(() -> startTimes().keySet().equals(Set.of("/aa", "/bb")));
    }

    private static boolean jobRuns(Supervisor s) {
        return s.status().jobState().equals("running");
    }

    /** What runs goes on, what cannot be made is told of, and is made when there is room again. */
    @Test
    void aFullDataRootStopsNothingAndIsToldOf() throws Exception {
        long first = dockerd.pid();
        dockerd.process.signal(first, DaemonProcess.Signal.TERM);
        await(() -> dockerd.process.find().isEmpty());
        run("mount -t tmpfs -o size=64m berth-small " + dockerd.home.resolve("data"));
        dockerd.start();
        dockerd.importImage();
        Supervisor s = open();
        s.wish(List.of(sleeper("old").make()));
        s.start();
        await(() -> s.status().jobState().equals("running"));
        Map<String, String> before = startTimes();
        Path filler = dockerd.home.resolve("data/filler");
        run("cat /dev/zero > " + filler + " 2> /dev/null || true");
        s.wish(List.of(sleeper("old").make(), sleeper("fresh").make()));
        // While the next try is under way there is no time for it: both are looked for at once.
        await(() -> {
            var fresh = of(s, "fresh");
            return fresh.reason().contains("no space left on device")
                    && fresh.nextTryMillis() > 0
                    && s.status().jobState().equals("failing");
        });
        assertThat(startTimes()).isEqualTo(before);
        Files.delete(filler);
        awaitFor(60, () -> s.status().jobState().equals("running"));
        assertThat(startTimes()).containsAllEntriesOf(before).hasSize(2);
    }

    private static void run(String script) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", script).inheritIO().start();
        assertThat(process.waitFor()).as(script).isZero();
    }

    /** Built in place from an inline Dockerfile; a changed text is a changed container. */
    @Test
    void buildsFromADockerfile() throws Exception {
        Supervisor s = open();
        for (String version : List.of("1", "2")) {
            s.wish(
                    List.of(
                            Specs.named("built")
                                    .dockerfile(
                                            "FROM "
                                                    + PrivateDockerd.IMAGE
                                                    + "\nENV V="
                                                    + version
                                                    + "\nCMD [\"sleep\",\"1000\"]\n")
                                    .grace(Duration.ZERO)
                                    .make()));
            s.start();
            await(() ->
                    s.status().jobState().equals("running")
                            && dockerd.engine
                                    .exec(
                                            "built",
                                            List.of("sh", "-c", "echo $V"),
                                            Map.of(),
                                            Duration.ofSeconds(5))
                                    .stdout()
                                    .equals(version + "\n"));
        }
    }
}

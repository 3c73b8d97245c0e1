package dev.berth.supervisor;

import static dev.berth.supervisor.SupervisorTest.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.engine.DockerEngine;
import dev.berth.model.Clock;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Settings reach a real daemon, started by the script that starts it in a VM, while containers run:
 * their processes tell whether anything moved.
 */
@Tag("engine")
class DaemonKeeperEngineTest {
    private final PrivateDockerd dockerd;
    private final DaemonPlace place;
    private DaemonKeeper.Gate gate;
    private Supervisor supervisor;
    private DaemonWatch watch;
    private DaemonKeeper keeper;
    private final SupervisorMemory memory = SupervisorMemory.volatileOne();

    DaemonKeeperEngineTest() throws IOException {
        dockerd = PrivateDockerd.byTheVmsScript();
        place = dockerd.place();
        open();
    }

    private void open() {
        gate = new DaemonKeeper.Gate(place);
        dockerd.startsOnlyIf(gate::isOpen);
        supervisor =
                new Supervisor(
                        dockerd.engine,
                        new SupervisorConfig(
                                "i1",
                                "boot",
                                dockerd.home.resolve("store"),
                                dockerd.home.resolve("vardata"),
                                "berth",
                                Duration.ofSeconds(10),
                                dockerd.home.resolve("sys"),
                                gate),
                        Clock.SYSTEM,
                        () -> new DiskState.Proven("d"),
                        RegistryAuths.none(),
                        memory);
        watch =
                new DaemonWatch(
                        new DockerEngine(dockerd.home.resolve("docker.sock")),
                        dockerd.process,
                        Clock.SYSTEM,
                        supervisor::reconciled,
                        supervisor::daemon);
        keeper =
                new DaemonKeeper(
                        gate,
                        dockerd.process,
                        new DockerEngine(dockerd.home.resolve("docker.sock")),
                        watch,
                        supervisor,
                        Clock.SYSTEM);
    }

    @BeforeEach
    void begin() throws Exception {
        dockerd.start();
        dockerd.importImage();
        supervisor.open();
        watch.open();
        List<ContainerSpec> specs = List.of(sleeper("web"), sleeper("app"));
        supervisor.prepare(specs);
        keeper.apply(DaemonSettings.NONE, 0, () -> supervisor.wish(specs));
        supervisor.start();
        awaitRunning();
    }

    @AfterEach
    void end() throws Exception {
        watch.close();
        supervisor.close();
        dockerd.close();
    }

    private void awaitRunning() throws InterruptedException {
        await(() ->
                supervisor.status().jobState().equals("running")
                        && watch.state() == DaemonState.UP);
    }

    private static ContainerSpec sleeper(String name) {
        return Specs.named(name)
                .image(PrivateDockerd.IMAGE)
                .command("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
                .make();
    }

    /** The processes of the containers. */
    private Map<String, Long> pids() {
        var pids = new TreeMap<String, Long>();
        for (var row : dockerd.engine.listContainers(Map.of(), Duration.ofSeconds(5))) {
            Fields f =
                    Fields.of(
                            dockerd.engine
                                    .inspectContainer(String.valueOf(row.get("Id")))
                                    .orElseThrow(),
                            "container");
            pids.put(f.string("Name"), f.object("State").integer("Pid"));
        }
        return pids;
    }

    private static DaemonSettings settings(Object... config) {
        return new DaemonSettings(
                Json.of(config), "", "", Map.of(), Map.of(), DaemonSettings.Tcp.NONE, 0, 0);
    }

    private String give(DaemonSettings settings) {
        return keeper.apply(settings, 0, () -> {});
    }

    private Fields info() {
        return Fields.of(dockerd.engine.info(), "info");
    }

    @Test
    void whatCanBeReloadedMovesNeitherDaemonNorContainers() {
        Map<String, Long> before = pids();
        long daemon = dockerd.pid();
        String done =
                give(
                        settings(
                                "labels", List.of("rack=7"),
                                "debug", true,
                                "insecure-registries", List.of("r.example:5000"),
                                "registry-mirrors", List.of("https://m.example"),
                                "max-concurrent-downloads", 7L,
                                "features", Map.of("buildkit", true)));
        assertThat(done).contains("reloaded", "labels", "no container touched");
        assertThat(info().strings("Labels")).containsExactly("rack=7");
        assertThat(info().flag("Debug", false)).isTrue();
        assertThat(Json.write(info().tree().get("RegistryConfig")))
                .contains("r.example:5000", "https://m.example");
        assertThat(give(DaemonSettings.NONE)).contains("reloaded");
        assertThat(info().strings("Labels")).as("and taken back").isEmpty();
        assertThat(Json.write(info().tree().get("RegistryConfig"))).doesNotContain("example");
        assertThat(dockerd.pid()).isEqualTo(daemon);
        assertThat(pids()).isEqualTo(before);
        assertThat(give(DaemonSettings.NONE)).as("the same twice").isEmpty();
    }

    @Test
    void theRestIsARestartThatContainersLiveThrough() throws Exception {
        Map<String, Long> before = pids();
        long daemon = dockerd.pid();
        var settings =
                new DaemonSettings(
                        Map.of("log-level", "warn", "dns", List.of("10.0.0.2")),
                        "",
                        "",
                        Map.of(),
                        Map.of("http_proxy", new Secret("http://u:hush-hush@127.0.0.1:9")),
                        DaemonSettings.Tcp.NONE,
                        4096,
                        0);
        assertThat(give(settings)).contains("restarted under live-restore", "no container stopped");
        assertThat(dockerd.pid()).isNotEqualTo(daemon);
        assertThat(info().string("HttpProxy", "")).contains("127.0.0.1:9");
        assertThat(Files.readString(Path.of("/proc/" + dockerd.pid() + "/limits")))
                .containsPattern("Max open files +4096 +4096");
        awaitRunning();
        assertThat(pids()).isEqualTo(before);
        assertThat(supervisor.status().containers()).allMatch(c -> c.restarts() == 0);
        assertThat(Files.getPosixFilePermissions(place.home().resolve("environment")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        // An agent that begins anew finds what its predecessor gave, and does nothing.
        var next = new DaemonKeeper.Gate(place);
        var other =
                new DaemonKeeper(
                        next, dockerd.process, dockerd.engine, watch, supervisor, Clock.SYSTEM);
        other.recover();
        assertThat(other.apply(settings, 0, () -> {})).isEmpty();
    }

    @Test
    void whatLiveRestoreCannotCarryStopsContainersInOrder() throws Exception {
        Map<String, Long> before = pids();
        DaemonSettings wide =
                settings("mtu", 1400L, "default-address-pools", List.of(pool("10.251.0.0/16")));
        assertThat(keeper.prepare(wide, 0)).as("while they run").isEmpty();
        assertThat(pids()).isEqualTo(before);
        assertThat(give(wide)).contains("mtu", "stopped in order and made anew");
        awaitRunning();
        assertThat(pids()).hasSize(2).doesNotContainValue(0L);
        assertThat(pids().values()).doesNotContainAnyElementsOf(before.values());
        Fields network = Fields.of(dockerd.engine.inspectNetwork("berth").orElseThrow(), "network");
        assertThat(network.object("Options").string("com.docker.network.driver.mtu", ""))
                .isEqualTo("1400");
        assertThat(Json.write(network.tree().get("IPAM"))).contains("10.251.");
    }

    private static Map<String, Object> pool(String base) {
        return Json.of("base", base, "size", 24L);
    }

    /** A daemon that would not start leaves the VM with the one it had. */
    @Test
    void badSettingsLeaveTheDaemonAsItWas() throws Exception {
        give(settings("labels", List.of("rack=7")));
        Map<String, Long> before = pids();
        assertThatThrownBy(() -> give(settings("labels", List.of("no-equals-sign"))))
                .isInstanceOf(DaemonRefused.class)
                .hasMessageContaining("bad attribute format");
        assertThatThrownBy(() -> give(settings("dns", List.of("no-such-address"))))
                .isInstanceOf(DaemonRefused.class)
                .hasMessageContaining("no-such-address")
                .hasMessageContaining("has the old ones again");
        assertThat(info().strings("Labels")).containsExactly("rack=7");
        awaitRunning();
        assertThat(pids()).isEqualTo(before);
        assertThatThrownBy(() -> give(settings("storage-driver", "no-such-driver")))
                .isInstanceOf(DaemonRefused.class)
                .hasMessageContaining("no-such-driver");
        awaitRunning();
        assertThat(pids()).as("made anew on the old settings").hasSize(2).doesNotContainValue(0L);
        assertThat(info().strings("Labels")).containsExactly("rack=7");
    }

    /**
     * The process dies between the files and the daemon's restart: the next one ends the change.
     */
    @Test
    void aChangeLeftHalfwayGoesOn() throws Exception {
        Map<String, Long> before = pids();
        DaemonFiles files = DaemonFiles.of(settings("log-level", "warn"), 0, place);
        var disk = new DaemonDisk(place);
        disk.keep("pending.json", Json.write(Json.of("files", files.toTree(), "started", true)));
        disk.write(files);
        long daemon = dockerd.pid();
        keeper.recover();
        assertThat(dockerd.pid()).isNotEqualTo(daemon);
        assertThat(disk.read("pending.json")).isEmpty();
        awaitRunning();
        assertThat(pids()).isEqualTo(before);
        // A killed daemon comes back with them: they are in its own file.
        dockerd.process.signal(dockerd.pid(), DaemonProcess.Signal.KILL);
        await(() -> watch.state() != DaemonState.UP);
        awaitRunning();
        assertThat(Files.readString(place.home().resolve("daemon.json"))).contains("\"warn\"");
        assertThat(pids()).isEqualTo(before);
    }

    /** Images on the persistent disk: no daemon without it, and one as soon as it is there. */
    @Test
    void aDaemonOnTheDiskWaitsForTheDisk() throws Exception {
        assertThatThrownBy(() -> give(onStore()))
                .isInstanceOf(DaemonRefused.class)
                .hasMessageContaining("not proven");
        Files.createDirectories(place.store());
        new ProcessBuilder("mount", "--bind", place.store().toString(), place.store().toString())
                .start()
                .waitFor();
        keeper.store(true);
        give(onStore());
        assertThat(info().string("DockerRootDir"))
                .isEqualTo(place.store().resolve("docker/docker").toString());
        supervisor.stop(Duration.ofSeconds(30));
        keeper.store(false);
        assertThat(dockerd.process.find()).isEmpty();
        dockerd.process.start();
        assertThat(dockerd.process.find()).as("not even when asked to start").isEmpty();
        keeper.store(true);
        await(() -> watch.state() == DaemonState.UP);
    }

    private DaemonSettings onStore() {
        return new DaemonSettings(
                Map.of(),
                place.store().toString(),
                "",
                Map.of(),
                Map.of(),
                DaemonSettings.Tcp.NONE,
                0,
                0);
    }
}

package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * One whole environment made for tests with the launcher, as a person would: its own BERTH_HOME,
 * network and ports, on the engine under test. Only the stemcell cache is shared, for it costs
 * minutes and holds nothing of an environment.
 */
final class TestEnvironment implements AutoCloseable {
    /** For what takes seconds on an idle machine. */
    static final Duration SOON = Duration.ofMinutes(2);

    private static final Duration OFTEN = Duration.ofMillis(100);

    private final Path home;
    private final Map<String, String> env = new HashMap<>();

    TestEnvironment() {
        this(usualPlace().resolve("t" + UUID.randomUUID().toString().substring(0, 8)));
    }

    TestEnvironment(Path home) {
        this.home = home;
        try {
            Files.createDirectories(
                    home,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            Path cache = Files.createDirectories(launcherHome().resolve("cache"));
            Files.createSymbolicLink(home.resolve("cache"), cache);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        env.put("BERTH_HOME", home.toString());
        env.put("DOCKER_HOST", "unix://" + EngineUnderTest.socket());
        for (String other :
                List.of(
                        "BERTH_DOCKER_HOST",
                        "BOSH_ENVIRONMENT",
                        "BOSH_CLIENT",
                        "BOSH_CLIENT_SECRET",
                        "BOSH_CA_CERT",
                        "BOSH_DEPLOYMENT",
                        "BOSH_NON_INTERACTIVE")) {
            env.put(other, "");
        }
    }

    /** Not the temporary directory: disks are device files, which many mount without devices. */
    static Path usualPlace() {
        return launcherHome().resolve("tests");
    }

    static Path launcherHome() {
        String home = System.getenv("BERTH_HOME");
        return home == null ? Path.of(System.getProperty("user.home"), ".berth") : Path.of(home);
    }

    static Path launcher() {
        String launcher = System.getenv("BERTH_LAUNCHER");
        return launcher == null
                ? Path.of("").toAbsolutePath().resolveSibling("berth")
                : Path.of(launcher);
    }

    /** What commands of this environment find in their environment besides: a copy. */
    Map<String, String> env() {
        return new HashMap<>(env);
    }

    /** For all commands from now on; empty removes. */
    void set(String name, String value) {
        env.put(name, value);
    }

    Path home() {
        return home;
    }

    EnvironmentFile file() {
        try {
            return EnvironmentFile.load(home);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Shell.Ran berth(String... words) {
        var command = new ArrayList<>(List.of(launcher().toString()));
        command.addAll(List.of(words));
        return Shell.run(env, command);
    }

    TestEnvironment up() {
        berth("up").ok();
        return this;
    }

    /** The example's images, made once on this engine, in this environment's registry. */
    TestEnvironment withImages() {
        berth("demo", "--images-only").ok();
        return this;
    }

    DirectorClient director() {
        return new DirectorClient(file(), home.resolve("pki/ca.crt"));
    }

    /** The first three numbers of the environment's network. */
    String base() {
        String gateway = file().gateway();
        return gateway.substring(0, gateway.lastIndexOf('.'));
    }

    // --- the engine and what is in VMs

    Shell.Ran docker(String... words) {
        var command = new ArrayList<>(List.of("docker", "-H", env.get("DOCKER_HOST")));
        command.addAll(List.of(words));
        return Shell.run(command);
    }

    Shell.Ran inVm(String vm, String script) {
        return docker("exec", vm, "sh", "-c", script);
    }

    /** What tells whether a container was touched. */
    record Touch(String id, String startedAt, long pid, boolean running) {}

    /**
     * The containers in a VM by name, as the VM's own engine tells; of an old one that is kept
     * beside a new one nothing.
     */
    Map<String, Touch> containersIn(String vm) {
        String told =
                inVm(
                                vm,
                                "ids=$(docker ps -aq --filter label=berth.container) && [ -n \"$ids\" ] && docker inspect --format"
                                        + " '{{index .Config.Labels \"berth.container\"}} {{.Id}} {{.State.StartedAt}} {{.State.Pid}} {{.State.Running}}' $ids")
                        .ok();
        return told.lines()
                .map(line -> line.split(" "))
                .collect(
                        Collectors.toMap(
                                part -> part[0],
                                part ->
                                        new Touch(
                                                part[1],
                                                part[2],
                                                Long.parseLong(part[3]),
                                                part[4].equals("true")),
                                (a, b) -> a.running() ? a : b));
    }

    /** The directory of a deployment's instances as the director tells, by group/index. */
    Map<String, Fields> instances(DirectorClient director, String deployment) {
        return director.instances(deployment).stream()
                .collect(
                        Collectors.toMap(
                                i -> i.string("job_name") + "/" + i.string("index"), i -> i));
    }

    /** Waits until the director sees every container of the deployment up. */
    void awaitAllUp(DirectorClient director, String deployment, int containers) {
        await().atMost(SOON)
                .pollInterval(OFTEN)
                .untilAsserted(() ->
                        assertThat(director.containers(deployment))
                                .hasSize(containers)
                                .allSatisfy(c -> {
                                    assertThat(c.string("state", "")).isEqualTo("up");
                                    assertThat(c.flag("agent_responsive", false)).isTrue();
                                }));
    }

    // --- what is there, and what should be

    /** What the CPI finds that carries this environment's label. */
    List<CloudObject> inventory() {
        try (var engine = new DockerEngine(EngineUnderTest.socket())) {
            return new DockerCpi(engine, home.resolve("cpi"))
                    .inventory(new CpiContext(file().uuid(), "look", null, Map.of()));
        }
    }

    Set<String> found(CloudObject.Kind kind) {
        return inventory().stream()
                .filter(o -> o.kind() == kind)
                .map(CloudObject::cid)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Nothing is leaked: the cloud holds exactly the VMs and disks that the director knows. */
    void assertNothingLeaked(DirectorClient director) {
        var vms = new TreeSet<String>();
        var disks = new TreeSet<String>();
        for (Fields deployment : director.list("/deployments")) {
            for (Fields instance : director.instances(deployment.string("name"))) {
                if (instance.has("vm_cid")) {
                    vms.add(instance.string("vm_cid"));
                }
                disks.addAll(instance.strings("disk_cids"));
            }
        }
        director.list("/disks").forEach(disk -> disks.add(disk.string("disk_cid")));
        assertThat(found(CloudObject.Kind.VM)).as("VMs in the cloud").isEqualTo(vms);
        assertThat(found(CloudObject.Kind.DISK)).as("disks in the cloud").isEqualTo(disks);
        assertThat(vmContainers()).as("containers of VMs").hasSameSizeAs(vms);
        // What a deleted VM had is emptied after it, so that nobody has to wait for it.
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(labelled("volume", "ls", "-q"))
                                .as("volumes of VMs")
                                .hasSameSizeAs(vms));
    }

    /** Containers on the engine with this environment's label, whatever their state. */
    List<String> vmContainers() {
        return labelled("ps", "-aq", "--no-trunc");
    }

    private List<String> labelled(String... words) {
        var command = new ArrayList<>(List.of(words));
        command.addAll(List.of("--filter", "label=berth.director=" + file().uuid()));
        return docker(command.toArray(String[]::new)).ok().lines().toList();
    }

    // --- processes of this environment

    long directorPid() {
        try {
            return Long.parseLong(Files.readString(home.resolve("director/director.pid")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The process of this environment whose command line holds the word. */
    long pidOf(String program) {
        return processes().entrySet().stream()
                .filter(process -> process.getValue().contains(program))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + program + " runs"));
    }

    void killDirector() {
        kill(directorPid());
    }

    /** {@code kill -9}, and waits until it is gone. */
    static void kill(long pid) {
        ProcessHandle.of(pid)
                .ifPresent(process -> {
                    process.destroyForcibly();
                    process.onExit().join();
                });
    }

    /** Processes that are of this home by their command line or their environment, by id. */
    Map<Long, String> processes() {
        var found = new HashMap<Long, String>();
        ProcessHandle.allProcesses()
                .forEach(process -> {
                    String line = text(process.pid(), "cmdline");
                    boolean ours =
                            line.contains("dev.berth.director.Main")
                                    && (text(process.pid(), "environ") + " ")
                                            .contains("BERTH_HOME=" + home + " ");
                    if (ours || line.contains(home + "/")) {
                        found.put(process.pid(), line);
                    }
                });
        return found;
    }

    /** Of a process; empty when it has ended. */
    static String text(long pid, String file) {
        try {
            return new String(
                            Files.readAllBytes(Path.of("/proc/" + pid + "/" + file)),
                            java.nio.charset.StandardCharsets.UTF_8)
                    .replace('\0', ' ');
        } catch (IOException e) {
            return ""; // it has ended meanwhile
        }
    }

    /** Loop devices on files of this home. */
    List<String> loopDevices() {
        return Shell.run(List.of("losetup", "-n", "-O", "NAME,BACK-FILE", "-l"))
                .ok()
                .lines()
                .filter(line -> line.contains(home + "/"))
                .map(line -> line.strip().split("\\s+")[0])
                .toList();
    }

    // --- the end

    /** Purges, and fails when anything of this environment is left on the machine. */
    void purge() {
        EnvironmentFile file = file();
        berth("down", "--purge", "-n").ok();
        assertThat(processes()).as("processes").isEmpty();
        assertThat(loopDevices()).as("loop devices").isEmpty();
        for (String kind : List.of("ps -aq", "volume ls -q", "network ls -q", "image ls -q")) {
            var command = new ArrayList<>(List.of(kind.split(" ")));
            command.addAll(List.of("--filter", "label=berth.director=" + file.uuid()));
            if (!kind.startsWith("image")) {
                assertThat(docker(command.toArray(String[]::new)).ok()).as(kind).isEmpty();
            }
        }
        String repository =
                "berth-stemcell/" + dev.berth.model.Digests.sha256(file.uuid()).substring(0, 12);
        assertThat(docker("image", "ls", "-q", repository).ok()).as("stemcell images").isEmpty();
        try (var left = Files.list(home)) {
            assertThat(left.map(Path::getFileName).map(Path::toString))
                    .as("files in the home")
                    .containsExactly("cache");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            if (EnvironmentFile.exists(home)) {
                purge();
            }
            Files.delete(home.resolve("cache"));
            Files.delete(home);
            if (home.startsWith(usualPlace())) {
                try (var others = Files.list(usualPlace())) {
                    if (others.findAny().isEmpty()) {
                        Files.delete(usualPlace());
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchEnvironment;
import dev.berth.acceptance.BenchException;
import dev.berth.acceptance.BenchTools;
import dev.berth.engine.Engine;
import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * The deployment that is proven: a VM with PostgreSQL on XFS and one with Redis on ext4, each with
 * a client that writes all the time. A third has no data and is never struck: when nobody at all is
 * heard any more, the bus is suspected and not the fleet.
 */
final class Stage implements AutoCloseable {
    static final String NAME = "proof";
    static final List<String> GROUPS = List.of("postgres", "redis");

    private static final int SECONDS = 240;
    private static final int FIRST_DISK_MB = 1024;

    private final BenchEnvironment environment;
    private final String password = UUID.randomUUID().toString();
    private final List<Writer> writers = new ArrayList<>();
    private int diskMb = FIRST_DISK_MB;

    private Stage(BenchEnvironment environment) {
        this.environment = environment;
    }

    static Stage set(BenchEnvironment environment) {
        var stage = new Stage(environment);
        stage.image();
        environment.director().deploy(stage.manifest());
        String postgres = stage.address("postgres");
        String redis = stage.address("redis");
        stage.writers.add(new Writer("PostgreSQL", () -> stage.open("postgres", postgres)));
        stage.writers.add(new Writer("Redis", () -> stage.open("redis", redis)));
        stage.awaitWell();
        return stage;
    }

    private void image() {
        String engine = environment.file().engine();
        BenchTools.run(
                java.util.Map.of("DOCKER_BUILDKIT", "0"),
                "docker",
                "-H",
                engine,
                "build",
                "-q",
                "-t",
                "proof-redis:1",
                environment.examples().resolve("images/redis").toString());
        environment.berth("push", "proof-redis:1");
    }

    BenchEnvironment environment() {
        return environment;
    }

    /** Talks to a database of the kind of that group's, wherever it runs. */
    Ledger open(String group, String address) throws IOException {
        return group.equals("postgres")
                ? PostgresLedger.open(address, password)
                : RedisLedger.open(address);
    }

    String password() {
        return password;
    }

    Engine engine() {
        return environment.engine();
    }

    List<Writer> writers() {
        return List.copyOf(writers);
    }

    /** The manifest as it is now. */
    String manifest() {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 2, canary_watch_time: 0-180000, update_watch_time: 0-180000}
        instance_groups:
        - name: postgres
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          persistent_disk: %d
          env: {persistent_disk_fs: xfs}
          networks: [{name: default}]
          containers:
          - name: postgres
            image: %s/shop-db:1
            environment: {POSTGRES_PASSWORD: %s}
            ports: ["5432:5432"]
            volumes: ["pgdata:/var/lib/postgresql/data"]
            stop_grace_period: 30s
            healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], interval: 1s, timeout: 3s, retries: 3, start_period: 60s}
        - name: redis
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          persistent_disk: %d
          env: {persistent_disk_fs: ext4}
          networks: [{name: default}]
          containers:
          - name: redis
            image: %s/proof-redis:1
            ports: ["6379:6379"]
            volumes: ["data:/data"]
            stop_grace_period: 30s
        - name: bystander
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          networks: [{name: default}]
          containers:
          - {name: idle, image: '%s', command: [sleep, infinity]}
        """
                .formatted(
                        NAME,
                        diskMb,
                        EnvironmentFile.REGISTRY_NAME,
                        password,
                        diskMb,
                        EnvironmentFile.REGISTRY_NAME,
                        BenchEnvironment.IMAGE);
    }

    /** The manifest with larger disks. */
    String grown() {
        diskMb += 64;
        return manifest();
    }

    /** The manifest with disks a little smaller: their data has to go to new ones. */
    String shrunk() {
        diskMb -= 8;
        return manifest();
    }

    /** Deletes the disks that copies have left behind: a proof makes many of them. */
    void dropOldDisks() {
        environment.dropDisks(NAME);
    }

    // --- what is where

    private Fields instance(String group) {
        return environment.director().list("/deployments/" + NAME + "/instances").stream()
                .filter(i -> i.string("job").equals(group))
                .findFirst()
                .orElseThrow(() -> new BenchException("no instance of " + group));
    }

    private String address(String group) {
        return instance(group).strings("ips").getFirst();
    }

    String vm(String group) {
        return instance(group).string("cid");
    }

    String id(String group) {
        return instance(group).string("id");
    }

    /** The number of the last thing that happened. */
    long lastEvent() {
        return environment.director().list("/events").stream()
                .mapToLong(e -> Long.parseLong(e.string("id")))
                .max()
                .orElse(0);
    }

    /** How many there are since then of the kind that the query asks for. */
    long events(String query, long since) {
        return environment.director().list("/events?" + query).stream()
                .filter(e -> Long.parseLong(e.string("id")) > since)
                .count();
    }

    /** What alerts that were opened since are about, each once. */
    List<String> alertsSince(long event) {
        return environment.director().list("/events?object_type=alert&action=create").stream()
                .filter(e -> Long.parseLong(e.string("id")) > event)
                .flatMap(e -> e.object("context").strings("about").stream())
                .distinct()
                .toList();
    }

    List<String> vms() {
        return GROUPS.stream().map(this::vm).toList();
    }

    /** Runs a script in the VM of a group and returns what it said. */
    String in(String group, String script) {
        return inVm(vm(group), script);
    }

    String inVm(String vm, String script) {
        return docker("exec", vm, "sh", "-c", script);
    }

    String docker(String... words) {
        var all = new ArrayList<>(List.of("docker", "-H", environment.file().engine()));
        all.addAll(List.of(words));
        return BenchTools.run(all.toArray(String[]::new));
    }

    long directorPid() {
        try {
            Path file = environment.home().resolve("director/director.pid");
            return Long.parseLong(Files.readString(file).strip());
        } catch (IOException e) {
            throw new BenchException("the director has no pid file: " + e.getMessage(), e);
        }
    }

    /** {@code kill -9}, and waits until it is gone. */
    static void kill(long pid) {
        ProcessHandle.of(pid)
                .ifPresent(process -> {
                    process.destroyForcibly();
                    process.onExit().join();
                });
    }

    /** A process of this environment by a word of its command line. */
    long pidOf(String program) {
        return ProcessHandle.allProcesses()
                .filter(p -> {
                    String line = text(p.pid());
                    return line.contains(program)
                            && line.contains(environment.home().toString() + "/");
                })
                .map(ProcessHandle::pid)
                .findFirst()
                .orElseThrow(() -> new BenchException("no " + program + " runs"));
    }

    private static String text(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline")).replace('\0', ' ');
        } catch (IOException e) {
            return ""; // it has ended meanwhile
        }
    }

    // --- waiting

    void await(String what, BooleanSupplier question) {
        BenchTools.await(what, SECONDS, 50, question);
    }

    /** Both databases answer, all containers are up, and no task is under way. */
    void awaitWell() {
        writers.forEach(Writer::awaitAnswer);
        await(
                "all containers of the proof",
                () -> {
                    List<Fields> containers =
                            environment.director().list("/deployments/" + NAME + "/containers");
                    return containers.size() == GROUPS.size() + 1 // the bystander
                            && containers.stream()
                                    .allMatch(c ->
                                            c.string("state", "").equals("up")
                                                    && c.flag("agent_responsive", false));
                });
        await(
                "the end of all tasks",
                () ->
                        environment
                                .director()
                                .list("/tasks?state=queued,processing,cancelling&verbose=2")
                                .isEmpty());
    }

    /** Starts the director and what it needs again, as an operator or a service manager would. */
    void up() {
        environment.berth("up");
    }

    /** Waits out a director that is away; a task that fails ends the proof. */
    void awaitDone(long task) {
        await("the end of task " + task, () -> environment.director().hasEnded(task));
        if (!environment.director().isDone(task)) {
            throw new BenchException("task " + task + " is not done");
        }
    }

    /**
     * @return its task
     */
    long deploy(String manifest, String query) {
        long task = environment.director().begin(manifest, query);
        awaitDone(task);
        return task;
    }

    @Override
    public void close() {
        writers.forEach(Writer::close);
    }
}

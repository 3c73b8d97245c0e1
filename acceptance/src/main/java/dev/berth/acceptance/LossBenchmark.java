package dev.berth.acceptance;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A VM with a database is destroyed; how long until its rows are served again. */
final class LossBenchmark implements Benchmark {
    private static final String NAME = "bench-data";
    private static final String DATABASE = EnvironmentFile.REGISTRY_NAME + "/shop-db:1";
    private static final String WEB = EnvironmentFile.REGISTRY_NAME + "/shop-web:1";
    private static final int ROWS = 5;

    /** The baseline varies little, and is slower than what it is a baseline of. */
    private static final int MOST_BARE = 10;

    private static final String ENV = "{persistent_disk_fs: xfs}";
    private static final String POOL =
            """

            vm_pools:
            - name: bench
              size: 1
              vm_type: default
              az: z1
              stemcell: {os: berth-debian, version: latest}
              env: %s
            """
                    .formatted(ENV);
    private static final String PASSWORD = "bench";

    @Override
    public String name() {
        return "loss";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) throws IOException {
        try (var signs = new LossSigns(environment)) {
            var results = new ArrayList<>(run(environment, signs, runs));
            results.addAll(signs.results());
            return results;
        }
    }

    private static List<BenchResult> run(BenchEnvironment environment, LossSigns signs, int runs) {
        environment.director().deploy(manifest());
        var made = new Losses(signs, "");
        var taken = new Losses(signs, ", on a spare VM");
        Fields like;
        try {
            String address = environment.director().address(NAME);
            String rows = sell(address);
            like = inspect(environment);
            for (int i = 0; i < runs; i++) {
                made.add(environment, address, rows);
            }
            try (var pool = BenchPool.of(environment, POOL)) {
                for (int i = 0; i < runs; i++) {
                    pool.awaitPrepared();
                    taken.add(environment, address, rows);
                }
            }
        } finally {
            environment.director().delete(NAME);
        }
        Samples bare = bare(environment, like, Math.min(runs, MOST_BARE));
        return List.of(made.result(bare), taken.result(bare));
    }

    /** Losses of the VM, each until the rows are served again. */
    private static final class Losses {
        private final List<Double> seconds = new ArrayList<>();
        private final List<Map<String, Double>> parts = new ArrayList<>();
        private final LossSigns signs;
        private final String how;

        Losses(LossSigns signs, String how) {
            this.signs = signs;
            this.how = how;
        }

        void add(BenchEnvironment environment, String address, String rows) {
            String victim = environment.director().vm(NAME);
            Instant at = Instant.now();
            long begun = System.nanoTime();
            environment.engine().removeContainer(victim, true, false);
            BenchTools.await("the rows", 120, 10, () -> rows.equals(get(address, "rows")));
            seconds.add(BenchTools.secondsSince(begun));
            Instant served = Instant.now();
            BenchTools.await("the repair's end", 60, 50, () -> repaired(environment, at));
            parts.add(LossBenchmark.parts(environment, at, served));
            long task = repair(environment).integer("id");
            signs.note(how, at, environment.director().began(task), served);
        }

        BenchResult result(Samples bare) {
            return new BenchResult(
                    "VM removed, data served again" + how,
                    "s",
                    new Samples(seconds),
                    bare,
                    "p50 <= 10 s, then <= 5 s",
                    "docker rm -f of the VM until HTTP answers with the rows of its PostgreSQL,"
                            + " asked every 10 ms; on a spare VM: one of the pool has the images;"
                            + " bare: rm -f and at once the same VM container, disk, pulls and runs"
                            + " by Engine API; nobody has to notice anything",
                    BenchResult.medians(parts));
        }
    }

    private static String manifest() {
        return BenchEnvironment.manifest(
                NAME,
                "  persistent_disk: 1024\n  env: " + ENV + "\n",
                """
                  - name: postgres
                    image: %s
                    environment: {POSTGRES_PASSWORD: %s}
                    volumes: ["pgdata:/var/lib/postgresql/data"]
                  - name: web
                    image: %s
                    environment: {DB_HOST: postgres, DB_PASSWORD: %s}
                    ports: ["80:8080"]
                """
                        .formatted(DATABASE, PASSWORD, WEB, PASSWORD));
    }

    private static Fields inspect(BenchEnvironment environment) {
        String cid = environment.director().vm(NAME);
        return Fields.of(environment.engine().inspectContainer(cid).orElseThrow(), "VM");
    }

    private static boolean repaired(BenchEnvironment environment, Instant since) {
        Fields task = repair(environment);
        return task.string("state").equals("done")
                && !environment.director().began(task.integer("id")).isBefore(since);
    }

    private static Fields repair(BenchEnvironment environment) {
        return environment.director().list("/tasks?limit=10&verbose=2").stream()
                .filter(t -> t.string("description").equals("scan and fix"))
                .findFirst()
                .orElseThrow(() -> new BenchException("no repair"));
    }

    private static Map<String, Double> parts(
            BenchEnvironment environment, Instant at, Instant served) {
        long task = repair(environment).integer("id");
        var parts = new LinkedHashMap<String, Double>();
        Instant began = environment.director().began(task);
        parts.put("detection", Duration.between(at, began).toMillis() / 1e3);
        Map<String, Double> steps = environment.director().steps(task);
        steps.remove("record state");
        Double awaited = steps.remove("await running");
        parts.putAll(steps);
        double before = parts.values().stream().mapToDouble(v -> v).sum();
        parts.put(
                "containers and recovery until served",
                Duration.between(at, served).toMillis() / 1e3 - before);
        if (awaited != null) {
            parts.put("(await running)", awaited);
        }
        return parts;
    }

    // --- bare

    private static Samples bare(BenchEnvironment environment, Fields like, int runs) {
        Path disk = environment.home().resolve("bare.disk");
        BenchTools.run("truncate", "-s", "1G", disk.toString());
        String device = BenchTools.run("losetup", "--show", "-f", disk.toString()).strip();
        try {
            BenchTools.run("mkfs.xfs", "-q", device);
            var seconds = new ArrayList<Double>();
            BareVm vm = BareVm.start(environment, like, device);
            try {
                serve(vm);
                String rows = sell(environment.spareAddress());
                for (int i = 0; i < runs; i++) {
                    long begun = System.nanoTime();
                    vm.close();
                    vm = BareVm.start(environment, like, device);
                    serve(vm);
                    BenchTools.await(
                            "the rows",
                            60,
                            10,
                            () -> rows.equals(get(environment.spareAddress(), "rows")));
                    seconds.add(BenchTools.secondsSince(begun));
                }
            } finally {
                vm.close();
            }
            return new Samples(seconds);
        } finally {
            BenchTools.run("losetup", "-d", device);
        }
    }

    private static void serve(BareVm vm) {
        vm.vm().inner().createNetwork(Json.of("Name", "bench"));
        Map<String, String> here = new java.util.concurrent.ConcurrentHashMap<>();
        BenchTools.together(
                List.of(
                        () -> here.put(DATABASE, vm.pull(DATABASE)),
                        () -> here.put(WEB, vm.pull(WEB))));
        vm.runTogether(
                Map.of(
                        "postgres",
                        Json.of(
                                "Image",
                                here.get(DATABASE),
                                "Env",
                                List.of("POSTGRES_PASSWORD=" + PASSWORD),
                                "HostConfig",
                                Json.of(
                                        "NetworkMode",
                                        "bench",
                                        "Binds",
                                        List.of(
                                                "/var/vcap/store/pgdata:/var/lib/postgresql/data"))),
                        "web",
                        Json.of(
                                "Image",
                                here.get(WEB),
                                "Env",
                                List.of("DB_HOST=postgres", "DB_PASSWORD=" + PASSWORD),
                                "ExposedPorts",
                                Json.of("8080/tcp", Map.of()),
                                "HostConfig",
                                Json.of(
                                        "NetworkMode",
                                        "bench",
                                        "PortBindings",
                                        Json.of("8080/tcp", List.of(Json.of("HostPort", "80")))))));
    }

    // --- customers

    /** Puts rows in and returns what the page of all rows then says. */
    private static String sell(String address) {
        for (int i = 0; i < ROWS; i++) {
            BenchTools.await("a sale", 60, 50, () -> !get(address, "add").isEmpty());
        }
        return get(address, "rows");
    }

    /** Empty when it is refused, late or not 200; a host that is not there costs 150 ms. */
    private static String get(String address, String page) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, 80), 150);
            socket.setSoTimeout(2500);
            socket.getOutputStream()
                    .write(
                            ("GET /cgi-bin/" + page + " HTTP/1.0\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            String answer = new String(in.readNBytes(1 << 16), StandardCharsets.UTF_8);
            int body = answer.indexOf("\r\n\r\n");
            return answer.matches("(?s)HTTP/1\\.\\d 200.*") && body > 0
                    ? answer.substring(body + 4).strip()
                    : "";
        } catch (IOException e) {
            return "";
        }
    }
}

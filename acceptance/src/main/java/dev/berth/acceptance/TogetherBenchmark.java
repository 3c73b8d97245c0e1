package dev.berth.acceptance;

import dev.berth.model.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Ten VMs, each with a disk and a container that counts its lives on it. One is destroyed, four at
 * once, all at once; how long until all are well again. Four of ten are repaired side by side; ten
 * are a meltdown, and repaired one at a time.
 */
final class TogetherBenchmark implements Benchmark {
    private static final String NAME = "bench-together";
    private static final int VMS = 10;
    private static final int SIDE_BY_SIDE = 4;
    private static final int SECONDS = 600;

    private static final String MANIFEST =
            """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 0, max_in_flight: 10, canary_watch_time: 0-300000, update_watch_time: 0-300000}
            instance_groups:
            - name: db
              instances: %d
              azs: [z1]
              vm_type: default
              stemcell: default
              persistent_disk: 64
              env: {persistent_disk_fs: ext4}
              networks: [{name: default}]
              containers:
              - name: counter
                image: '%s'
                volumes: ["data:/data"]
                command: [/bin/sh, -c, "echo life >> /data/lives; exec sleep 1000000"]
            """
                    .formatted(NAME, VMS, BenchEnvironment.IMAGE);

    @Override
    public String name() {
        return "together";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        BenchDirector director = environment.director();
        director.deploy(MANIFEST);
        try {
            awaitWell(director, List.of());
            var one = new ArrayList<Double>();
            var four = new ArrayList<Double>();
            var ten = new ArrayList<Double>();
            for (int i = 0; i < runs; i++) {
                one.add(lose(environment, 1));
            }
            for (int i = 0; i < runs; i++) {
                four.add(lose(environment, SIDE_BY_SIDE));
            }
            for (int i = 0; i < runs; i++) {
                ten.add(lose(environment, VMS));
            }
            checkLives(environment, runs);
            var single = new Samples(one);
            return List.of(
                    result("4 of 10 VMs removed at once, all well again", four, single),
                    result("10 of 10 VMs removed at once, all well again", ten, single));
        } finally {
            director.delete(NAME);
            environment.dropDisks(NAME);
        }
    }

    private static BenchResult result(String name, List<Double> seconds, Samples one) {
        return new BenchResult(
                name,
                "s",
                new Samples(seconds),
                one,
                "",
                "rm -f of the VM containers until each has another VM with its disk, and its"
                        + " container runs; the baseline is one VM of the same ten. Ten of ten is a"
                        + " meltdown: one repair at a time",
                Map.of());
    }

    /** The first of them, so that the few stay the same few: others would make a meltdown. */
    private static double lose(BenchEnvironment environment, int count) {
        List<String> lost = List.copyOf(vms(environment.director()).values()).subList(0, count);
        long begun = System.nanoTime();
        BenchTools.together(
                lost.stream()
                        .<Runnable>map(
                                vm -> () -> environment.engine().removeContainer(vm, true, false))
                        .toList());
        awaitWell(environment.director(), lost);
        double seconds = BenchTools.secondsSince(begun);
        BenchTools.await(
                "the end of the repairs",
                SECONDS,
                50,
                () ->
                        environment
                                .director()
                                .list("/tasks?verbose=2&state=queued,processing")
                                .isEmpty());
        return seconds;
    }

    private static void awaitWell(BenchDirector director, List<String> lost) {
        BenchTools.await(
                "ten well instances",
                SECONDS,
                50,
                () -> {
                    Map<String, String> now = vms(director);
                    List<Fields> containers = director.list("/deployments/" + NAME + "/containers");
                    return now.size() == VMS
                            && lost.stream().noneMatch(now::containsValue)
                            && containers.size() == VMS
                            && containers.stream()
                                    .allMatch(c ->
                                            c.string("state", "").equals("up")
                                                    && c.flag("agent_responsive", false));
                });
    }

    /** By the number of the instance; one that has no VM is left out. */
    private static Map<String, String> vms(BenchDirector director) {
        return director.list("/deployments/" + NAME + "/instances").stream()
                .filter(i -> !i.string("cid", "").isEmpty())
                .collect(
                        Collectors.toMap(
                                i -> Long.toString(i.integer("index")),
                                i -> i.string("cid"),
                                (a, b) -> b,
                                TreeMap::new));
    }

    /** All were lost as often as was meant, and each found its own disk again. */
    private static void checkLives(BenchEnvironment environment, int runs) {
        Map<String, String> vms = vms(environment.director());
        for (int i = 0; i < VMS; i++) {
            int lost = (i == 0 ? runs : 0) + (i < SIDE_BY_SIDE ? runs : 0) + runs;
            String told =
                    BenchTools.run(
                            "docker",
                            "-H",
                            environment.file().engine(),
                            "exec",
                            java.util.Objects.requireNonNull(vms.get(Integer.toString(i))),
                            "cat",
                            "/var/vcap/store/volumes/data/lives");
            if (told.lines().count() < lost + 1) {
                throw new BenchException(
                        "instance "
                                + i
                                + " was lost "
                                + lost
                                + " times, and its disk says: "
                                + told);
            }
        }
    }
}

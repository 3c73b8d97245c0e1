package dev.berth.acceptance;

import dev.berth.model.Fields;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A disk is grown in place, with little and with much data on it: it must not matter. */
final class GrowthBenchmark implements Benchmark {
    private static final String NAME = "bench-growth";
    private static final int STEP_MB = 64;

    /** On an ordinary machine ext4 grows while it is mounted too. */
    private static final String OFFLINE =
            "ext4; where the kernel lets it grow mounted no container stops (0 s)";

    @Override
    public String name() {
        return "growth";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) {
        var results = new ArrayList<BenchResult>();
        for (int gigabytes : List.of(1, 10)) {
            results.addAll(grown(environment, "xfs", gigabytes, runs));
            results.addAll(grown(environment, "ext4", gigabytes, runs));
        }
        return results;
    }

    private static List<BenchResult> grown(
            BenchEnvironment environment, String fileSystem, int gigabytes, int runs) {
        var deploys = new ArrayList<Double>();
        var stops = new ArrayList<Double>();
        int size = gigabytes * 1024 + 512;
        environment.director().deploy(manifest(fileSystem, size));
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            BenchTools.run(
                    "docker",
                    "-H",
                    environment.file().engine(),
                    "exec",
                    vm.id(),
                    "sh",
                    "-c",
                    "head -c " + gigabytes + "G /dev/zero > /var/vcap/store/data; sync");
            for (int i = 0; i < runs; i++) {
                size += STEP_MB;
                deploys.add(environment.director().deploy(manifest(fileSystem, size)).seconds());
                stops.add(stopped(vm));
            }
        } finally {
            environment.director().delete(NAME);
            environment.dropDisks(NAME);
        }
        String what = ", " + fileSystem + ", " + gigabytes + " GB of data on it";
        boolean online = fileSystem.equals("xfs");
        var byHand = new Samples(byHand(environment, fileSystem, gigabytes, runs));
        return List.of(
                new BenchResult(
                        "disk grown in place" + what,
                        "s",
                        new Samples(deploys),
                        byHand,
                        "does not depend on the data",
                        "deploy of a larger persistent_disk, whole; by hand: the file made longer,"
                                + " losetup -c and the file system grown, on a disk as full",
                        Map.of()),
                new BenchResult(
                        "container away meanwhile" + what,
                        "s",
                        new Samples(stops),
                        null,
                        online ? "0 s" : "<= 5 s",
                        online ? "xfs grows while it is mounted" : OFFLINE,
                        Map.of()));
    }

    private static String manifest(String fileSystem, int size) {
        return BenchEnvironment.manifest(
                NAME,
                "  persistent_disk: "
                        + size
                        + "\n  env: {persistent_disk_fs: "
                        + fileSystem
                        + "}\n",
                BenchEnvironment.idle("data", "1").replace("}}\n", "}, volumes: ['d:/data']}\n"));
    }

    /** From the end of the container's last process to the start of this one; 0: it never ended. */
    static double stopped(BenchVm vm) {
        BenchTools.await(
                "the container",
                60,
                20,
                () -> vm.containers().values().stream().anyMatch(BenchVm.Inner::running));
        String id = vm.containers().values().iterator().next().id();
        Fields state =
                Fields.of(vm.inner().inspectContainer(id).orElseThrow(), "container")
                        .object("State");
        Instant ended = Instant.parse(state.string("FinishedAt"));
        Instant started = Instant.parse(state.string("StartedAt"));
        // An engine says of what never ended that it did so in the year 1.
        return ended.isBefore(Instant.EPOCH)
                ? 0
                : Duration.between(ended, started).toMillis() / 1e3;
    }

    private static List<Double> byHand(
            BenchEnvironment environment, String fileSystem, int gigabytes, int runs) {
        Path file = environment.home().resolve("bare.disk");
        Path at = environment.home().resolve("bare.mount");
        long size = gigabytes * 1024L + 512;
        BenchTools.run("fallocate", "-l", size + "M", file.toString());
        String device = BenchTools.run("losetup", "--show", "-f", file.toString()).strip();
        var seconds = new ArrayList<Double>();
        try {
            BenchTools.run("mkfs." + fileSystem, "-q", device);
            BenchTools.run("mkdir", "-p", at.toString());
            BenchTools.run("mount", device, at.toString());
            BenchTools.run("fallocate", "-l", gigabytes + "G", at.resolve("data").toString());
            for (int i = 0; i < runs; i++) {
                size += STEP_MB;
                long begun = System.nanoTime();
                BenchTools.run("fallocate", "-l", size + "M", file.toString());
                BenchTools.run("losetup", "-c", device);
                grow(fileSystem, device, at);
                seconds.add(BenchTools.secondsSince(begun));
            }
        } finally {
            BenchTools.run("umount", at.toString());
            BenchTools.run("losetup", "-d", device);
            BenchTools.run("rm", "-f", file.toString());
        }
        return seconds;
    }

    private static void grow(String fileSystem, String device, Path at) {
        if (fileSystem.equals("xfs")) {
            BenchTools.run("xfs_growfs", at.toString());
            return;
        }
        BenchTools.run("umount", at.toString());
        BenchTools.run("e2fsck", "-fp", device);
        BenchTools.run("resize2fs", device);
        BenchTools.run("mount", device, at.toString());
    }
}

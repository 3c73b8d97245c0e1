package dev.berth.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What is done with all the data of a disk: a snapshot, a move to another disk, a backup and its
 * restore; each beside the plain programs on the same data, in turn with them.
 */
final class DataBenchmark implements Benchmark {
    private static final String NAME = "bench-data";
    private static final int SIZE_MB = 2560;
    private static final int STEP_MB = 64;

    /** Half of it cannot be compressed, half of it very well; most in large files, many small. */
    private static final String DATA =
            """
            cd /var/vcap/store/volumes/d && mkdir small
            for i in 1 2 3 4; do head -c 128M /dev/urandom > noise$i; done
            for i in 1 2 3 4; do
                seq -f "$i: row %.0f of a table, with words that return" 1 4000000 | head -c 120M > rows$i
            done
            { head -c 16M noise1; head -c 16M rows1; } | split -b 8192 -a 4 - small/f
            sync
            """;

    private static final String OF_IT = ", 1 GiB in 4,104 files";

    @Override
    public String name() {
        return "data";
    }

    @Override
    public List<BenchResult> run(BenchEnvironment environment, int runs) throws IOException {
        var results = new ArrayList<BenchResult>();
        environment.director().deploy(manifest(SIZE_MB));
        try (var vm = new BenchVm(environment.engine(), environment.director().vm(NAME))) {
            BenchTools.run(
                    "docker",
                    "-H",
                    environment.file().engine(),
                    "exec",
                    vm.id(),
                    "sh",
                    "-ec",
                    DATA);
            try (var bare = new BareDisk(environment.home(), SIZE_MB)) {
                results.add(snapshots(environment, runs));
                results.addAll(copies(environment, vm, bare, runs));
            }
            results.addAll(backups(environment, vm, runs));
        } finally {
            environment.director().delete(NAME);
            environment.dropDisks(NAME);
        }
        return results;
    }

    private static String manifest(int size) {
        return BenchEnvironment.manifest(
                NAME,
                "  persistent_disk: " + size + "\n",
                BenchEnvironment.idle("data", "1").replace("}}\n", "}, volumes: ['d:/data']}\n"));
    }

    private static Path store(BenchVm vm) {
        return vm.root().resolve("var/vcap/store");
    }

    private static double timed(String... words) {
        long begun = System.nanoTime();
        BenchTools.run(words);
        return BenchTools.secondsSince(begun);
    }

    /** Of the only disk that there is. */
    private static Path image(BenchEnvironment environment) throws IOException {
        try (var disks = Files.list(environment.home().resolve("cpi/disks"))) {
            List<Path> images =
                    disks.map(disk -> disk.resolve("disk.img")).filter(Files::exists).toList();
            if (images.size() != 1) {
                throw new BenchException("one disk was expected, found " + images);
            }
            return images.getFirst();
        }
    }

    // --- snapshots

    private static BenchResult snapshots(BenchEnvironment environment, int runs)
            throws IOException {
        BenchDirector director = environment.director();
        String all = "/deployments/" + NAME + "/snapshots";
        Path image = image(environment);
        Path copy = environment.home().resolve("bare.copy");
        var berth = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        for (int i = 0; i < runs; i++) {
            BenchTools.run("sync");
            berth.add(director.act("POST", all, "").seconds());
            director.act("DELETE", all, null);
            BenchTools.run("sync");
            bare.add(
                    timed(
                            "sh",
                            "-c",
                            "cp --sparse=always '"
                                    + image
                                    + "' '"
                                    + copy
                                    + "' && sync '"
                                    + copy
                                    + "'"));
            BenchTools.run("rm", "-f", copy.toString());
        }
        boolean shares = shares(image, copy);
        return new BenchResult(
                "snapshot" + OF_IT,
                "s",
                new Samples(berth),
                new Samples(bare),
                shares ? "<= 1 s" : "<= 1.5 x",
                "task of take-snapshot, whole: frozen, copied, thawed; this host's file system "
                        + (shares
                                ? "shares blocks"
                                : "shares no blocks: what was written is copied")
                        + "; baseline: cp --sparse=always of the same image, and sync",
                Map.of());
    }

    private static boolean shares(Path image, Path copy) {
        try {
            BenchTools.run("cp", "--reflink=always", image.toString(), copy.toString());
            return true;
        } catch (BenchException e) {
            return false;
        } finally {
            BenchTools.run("rm", "-f", copy.toString());
        }
    }

    // --- another disk

    private static List<BenchResult> copies(
            BenchEnvironment environment, BenchVm vm, BareDisk disk, int runs) {
        BenchDirector director = environment.director();
        var berth = new ArrayList<Double>();
        var bare = new ArrayList<Double>();
        var stops = new ArrayList<Double>();
        int size = SIZE_MB;
        for (int i = 0; i < runs; i++) {
            size -= STEP_MB;
            BenchTools.run("sync");
            berth.add(director.deploy(manifest(size), "allow_shrink=true").seconds());
            stops.add(GrowthBenchmark.stopped(vm));
            environment.dropDisks(NAME);
            disk.blank();
            BenchTools.run("sync");
            bare.add(
                    timed(
                            "sh",
                            "-c",
                            "cp -a '"
                                    + store(vm)
                                    + "/.' '"
                                    + disk.at()
                                    + "/' && sync -f '"
                                    + disk.at()
                                    + "'"));
        }
        return List.of(
                new BenchResult(
                        "disk moved to another one" + OF_IT,
                        "s",
                        new Samples(berth),
                        new Samples(bare),
                        "<= 2 x",
                        "deploy of a smaller persistent_disk, whole: disk made, formatted, filled while"
                                + " the container runs, compared, changed; baseline: cp -a of the same"
                                + " files onto a blank disk, and sync",
                        Map.of()),
                new BenchResult(
                        "container away meanwhile" + OF_IT,
                        "s",
                        new Samples(stops),
                        null,
                        "<= 5 s",
                        "from the end of its last process to the start of the next one, nothing being"
                                + " written",
                        Map.of()));
    }

    // --- backups

    private static List<BenchResult> backups(BenchEnvironment environment, BenchVm vm, int runs)
            throws IOException {
        BenchDirector director = environment.director();
        Path archive = environment.home().resolve("bare.tar.zst");
        var made = new ArrayList<Map<String, Double>>();
        var restored = new ArrayList<Map<String, Double>>();
        var packed = new ArrayList<Double>();
        var unpacked = new ArrayList<Double>();
        try (var disk = new BareDisk(environment.home(), SIZE_MB)) {
            for (int i = 0; i < runs; i++) {
                BenchTools.run("sync");
                packed.add(
                        timed(
                                "sh",
                                "-c",
                                "tar -C '"
                                        + store(vm)
                                        + "' --one-file-system --sparse --xattrs"
                                        + " --acls -cf - . | zstd -q -f -3 -o '"
                                        + archive
                                        + "' && sync '"
                                        + archive
                                        + "'"));
                made.add(steps(director, "/deployments/" + NAME + "/backups", "{}"));
                disk.blank();
                BenchTools.run("sync");
                unpacked.add(
                        timed(
                                "sh",
                                "-c",
                                "zstd -dcq '"
                                        + archive
                                        + "' | tar -C '"
                                        + disk.at()
                                        + "' --xattrs --acls -xpf - && sync -f '"
                                        + disk.at()
                                        + "'"));
                String backup = director.list("/backups").getFirst().string("id");
                restored.add(steps(director, "/restores", "{\"backup\":\"" + backup + "\"}"));
                environment.dropDisks(NAME);
                director.act("DELETE", "/backups/" + backup, null);
            }
        } finally {
            Files.deleteIfExists(archive);
        }
        return List.of(
                new BenchResult(
                        "backup written" + OF_IT,
                        "s",
                        part(made, "read and write"),
                        new Samples(packed),
                        "<= 1.3 x",
                        "the step of a backup in which the data passes: read in the VM, over the bus,"
                                + " digests, compressed, sealed, written; baseline: tar | zstd -3 of the"
                                + " same files into a file, and sync. All steps:",
                        BenchResult.medians(made)),
                new BenchResult(
                        "backup restored" + OF_IT,
                        "s",
                        part(restored, "fill"),
                        new Samples(unpacked),
                        "<= 1.5 x",
                        "the step of a restore that fills the new disk, and sync; baseline: zstd -d |"
                                + " tar x onto a blank disk, and sync. All steps:",
                        BenchResult.medians(restored)),
                new BenchResult(
                        "backup checked" + OF_IT,
                        "s",
                        part(restored, "check"),
                        null,
                        "",
                        "the step of a restore before it touches anything: all is opened and found whole",
                        Map.of()),
                new BenchResult(
                        "restored disk compared" + OF_IT,
                        "s",
                        part(restored, "compare"),
                        null,
                        "",
                        "every file is read back and its digest compared",
                        Map.of()));
    }

    private static Map<String, Double> steps(BenchDirector director, String path, String body) {
        return director.steps(director.act("POST", path, body).id());
    }

    private static Samples part(List<Map<String, Double>> runs, String step) {
        return new Samples(
                runs.stream()
                        .map(run -> {
                            Double seconds = run.get(step);
                            if (seconds == null) {
                                throw new BenchException("no step '" + step + "' in " + run);
                            }
                            return seconds;
                        })
                        .toList());
    }
}

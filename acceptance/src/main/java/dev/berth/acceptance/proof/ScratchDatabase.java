package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchException;
import dev.berth.acceptance.BenchTools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A database started from a copy of a disk's image, by the host and its engine alone: no program of
 * Berth has a hand in it. What it does to the copy touches nothing else. One thread's.
 */
final class ScratchDatabase implements AutoCloseable {
    private static final int SECONDS = 90;

    private final Stage stage;
    private final String group;
    private final Path folder;
    private String device = "";
    private boolean mounted;

    private ScratchDatabase(Stage stage, String group) {
        this.stage = stage;
        this.group = group;
        this.folder = stage.environment().home().resolve("scratch-" + group);
    }

    /**
     * @param image of a disk of that group
     */
    static ScratchDatabase start(Stage stage, String group, Path image) {
        var scratch = new ScratchDatabase(stage, group);
        try {
            scratch.mount(image);
            scratch.run();
            return scratch;
        } catch (RuntimeException e) {
            scratch.close();
            throw e;
        }
    }

    private void mount(Path image) {
        Path copy = folder.resolve("disk.img");
        BenchTools.run("mkdir", "-p", folder.resolve("disk").toString());
        BenchTools.run("cp", "--sparse=always", image.toString(), copy.toString());
        device = BenchTools.run("losetup", "--find", "--show", copy.toString()).strip();
        var words = new ArrayList<>(List.of("mount"));
        if (BenchTools.run("blkid", "-p", "-o", "value", "-s", "TYPE", device)
                .strip()
                .equals("xfs")) {
            words.addAll(List.of("-o", "nouuid")); // the original is mounted as well
        }
        words.addAll(List.of(device, folder.resolve("disk").toString()));
        BenchTools.run(words.toArray(String[]::new));
        mounted = true;
    }

    private String name() {
        return "berth-proof-scratch-" + group;
    }

    private void run() {
        boolean postgres = group.equals("postgres");
        String data = folder.resolve("disk/volumes") + (postgres ? "/pgdata" : "/data");
        stage.engine().removeContainer(name(), true, true);
        BenchTools.run(
                Map.of("POSTGRES_PASSWORD", stage.password()),
                "docker",
                "-H",
                stage.environment().file().engine(),
                "run",
                "-d",
                "--name",
                name(),
                "-e",
                "POSTGRES_PASSWORD",
                "-v",
                data + (postgres ? ":/var/lib/postgresql/data" : ":/data"),
                postgres ? "shop-db:1" : "proof-redis:1");
    }

    /** All numbers, as soon as the database answers. */
    List<Long> all() {
        String address =
                stage.docker(
                                "inspect",
                                "-f",
                                "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                                name())
                        .strip();
        long begun = System.nanoTime();
        while (true) {
            try (Ledger ledger = stage.open(group, address)) {
                return ledger.all();
            } catch (IOException e) {
                if (BenchTools.secondsSince(begun) > SECONDS) {
                    throw new BenchException(
                            "the database of the snapshot does not start: "
                                    + stage.docker("logs", "--tail", "20", name()),
                            e);
                }
                BenchTools.pause(100);
            }
        }
    }

    @Override
    public void close() {
        stage.engine().removeContainer(name(), true, true);
        if (mounted) {
            BenchTools.run("umount", folder.resolve("disk").toString());
        }
        if (!device.isEmpty()) {
            BenchTools.run("losetup", "-d", device);
        }
        BenchTools.run("rm", "-rf", folder.toString());
    }
}

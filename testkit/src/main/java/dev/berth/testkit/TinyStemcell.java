package dev.berth.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * The smallest root file system that boots as a VM of the Docker CPI: this machine's own shell and
 * a few tools, and an init that stays. Made without any registry or distribution mirror.
 */
public final class TinyStemcell {
    private static final List<String> TOOLS =
            List.of(
                    "sh",
                    "sleep",
                    "cat",
                    "mkdir",
                    "sync",
                    "mount",
                    "umount",
                    "mkfs.ext4",
                    "blockdev");

    private static final String INIT =
            """
            #!/bin/sh
            trap 'exit 0' TERM
            while :; do sleep 1000 & wait $!; done
            """;

    private TinyStemcell() {}

    /** Writes {@code image} into a folder and returns it. */
    public static Path image(Path folder) {
        try {
            Path root = folder.resolve("root");
            Path init = root.resolve("var/vcap/bosh/bin/berth-init");
            Files.createDirectories(init.getParent());
            Files.createDirectories(root.resolve("mnt"));
            Files.createDirectories(root.resolve("tmp"));
            Files.createDirectories(root.resolve("etc"));
            Files.writeString(init, INIT);
            Files.setPosixFilePermissions(init, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path image = folder.resolve("image");
            run(folder, copyTools() + "; tar -cf image -C root .");
            return image;
        } catch (IOException e) {
            throw new IllegalStateException("cannot make a stemcell", e);
        }
    }

    private static String copyTools() {
        return "set -e; mkdir -p root/bin; for tool in "
                + String.join(" ", TOOLS)
                + "; do path=$(command -v $tool); cp -L $path root/bin/$tool; for lib in $(ldd $path |"
                + " grep -o '/[^ ]*'); do mkdir -p root$(dirname $lib); cp -L $lib root$lib; done; done";
    }

    private static void run(Path folder, String script) throws IOException {
        Process process =
                new ProcessBuilder("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + script)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output =
                new String(
                        process.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}

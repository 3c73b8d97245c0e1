package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Files as block devices. Which device a file has is always asked of the kernel, never remembered:
 * after a crash or a reboot of the host the answer is another one.
 */
final class LoopDevices {
    private static final System.Logger LOG = System.getLogger(LoopDevices.class.getName());
    private static final int ATTEMPTS = 50;
    private static final int LETTING_GO_MILLIS = 2_000;

    /** Linux's number for loop devices. */
    private static final int MAJOR = 7;

    private final FileLocks locks;
    private final boolean discards;

    /**
     * @param discards whether what a file system frees is given back to the host, and so has to be
     *     found again when it is written
     */
    LoopDevices(FileLocks locks, boolean discards) {
        this.locks = locks;
        this.discards = discards;
    }

    /**
     * A device of a file.
     *
     * @param leaving its release was asked for while something still held it open
     */
    record Loop(Path node, int minor, boolean leaving) {
        String number() {
            return MAJOR + ":" + minor;
        }
    }

    List<Loop> of(Path file) {
        if (!Files.exists(file)) {
            return List.of();
        }
        String text = Commands.run("losetup", "-j", file.toString(), "-n", "-O", "NAME,AUTOCLEAR");
        var found = new ArrayList<Loop>();
        for (String line : text.lines().toList()) {
            String[] words = line.strip().split("\\s+");
            if (words.length == 2) {
                found.add(new Loop(Path.of(words[0]), minor(words[0]), words[1].equals("1")));
            }
        }
        return found;
    }

    /** The device of a file, made when there is none. */
    Loop attach(Path file) {
        try (var lock = locks.lock("loop-devices")) {
            Optional<Loop> known = of(file).stream().filter(loop -> !loop.leaving()).findFirst();
            return known.orElseGet(() -> attachNew(file));
        }
    }

    private Loop attachNew(Path file) {
        Commands.Result last = new Commands.Result(1, "");
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            // Other programs take devices too, so the free one may be gone when it is used.
            String free = Commands.run("losetup", "-f");
            makeNode(free);
            last = Commands.tryRun("losetup", free, file.toString());
            if (last.exitCode() == 0) {
                if (!discards) {
                    keepWhole(free);
                }
                return new Loop(Path.of(free), minor(free), false);
            }
        }
        throw new CpiException(
                CpiException.Type.CLOUD_ERROR, "no loop device for " + file + ": " + last.output());
    }

    private static void keepWhole(String device) {
        String name = device.substring(device.lastIndexOf('/') + 1);
        try {
            Files.writeString(Path.of("/sys/block", name, "queue/discard_max_bytes"), "0");
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    device + " may give space of its file back: " + e.getMessage());
        }
    }

    /** Where /dev is not kept by the kernel, devices past the first eight have no node yet. */
    private static void makeNode(String device) {
        if (!Files.exists(Path.of(device))) {
            Commands.run("mknod", "-m", "0660", device, "b", "" + MAJOR, "" + minor(device));
        }
    }

    private static int minor(String device) {
        String name = device.substring(device.lastIndexOf('/') + 1);
        try {
            String number = Files.readString(Path.of("/sys/block", name, "dev")).strip();
            return Integer.parseInt(number.substring(number.indexOf(':') + 1));
        } catch (IOException | NumberFormatException e) {
            return Integer.parseInt(name.replaceAll("\\D", ""));
        }
    }

    /** Tells the kernel that the file has grown. */
    void grown(Path file) {
        of(file).forEach(loop -> Commands.run("losetup", "-c", loop.node().toString()));
    }

    /**
     * Ends every device of a file and returns when the kernel says that there is none: proof that
     * nobody writes to it any more. What still holds it is an error.
     */
    void release(Path file) {
        for (Loop loop : of(file)) {
            Commands.Result result = Commands.tryRun("losetup", "-d", loop.node().toString());
            if (result.exitCode() != 0 && of(file).contains(loop)) {
                throw held(file, loop, result.output());
            }
        }
        awaitNone(file);
    }

    /** A scanner that looks at new devices may hold one open for a moment. */
    private void awaitNone(Path file) {
        for (int waited = 0; ; waited += 20) {
            List<Loop> left = of(file);
            if (left.isEmpty()) {
                return;
            }
            if (waited >= LETTING_GO_MILLIS) {
                throw held(file, left.getFirst(), "the kernel keeps it");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw held(file, left.getFirst(), "interrupted");
            }
        }
    }

    private static CpiException held(Path file, Loop loop, String why) {
        return new CpiException(
                CpiException.Type.CLOUD_ERROR,
                loop.node() + " (" + file + ") is still in use: " + why);
    }
}

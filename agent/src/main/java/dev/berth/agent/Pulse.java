package dev.berth.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Shows the VM's first program that the agent lives: a file that changes each second. An agent that
 * was stopped, or hangs as a whole, changes it no more, and is ended and started again from
 * outside; that stops no container.
 *
 * <p>The file holds {@code <pid> <count>}, so that nobody takes the file of an earlier agent for a
 * later one's.
 */
final class Pulse {
    private static final System.Logger LOG = System.getLogger(Pulse.class.getName());
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private Pulse() {}

    /**
     * @param folder of the VM's first program; where there is none, nobody looks and nothing is
     *     written
     */
    static void start(Path folder) {
        if (Files.isDirectory(folder)) {
            // On the threads all of the agent runs on: when those are stuck, so is this one.
            Thread.ofVirtual().name("pulse").start(() -> beat(folder.resolve("pulse")));
        }
    }

    private static void beat(Path file) {
        long pid = ProcessHandle.current().pid();
        boolean told = false;
        for (long count = 0; ; count++) {
            try {
                Files.writeString(file, pid + " " + count + "\n");
                Thread.sleep(PERIOD);
            } catch (IOException e) {
                if (!told) {
                    LOG.log(System.Logger.Level.WARNING, "the pulse cannot be written", e);
                    told = true;
                }
                // An agent that cannot write lives all the same: better no pulse than a still one.
                try {
                    Files.deleteIfExists(file);
                    Thread.sleep(PERIOD);
                } catch (IOException ignored) {
                    return;
                } catch (InterruptedException stop) {
                    return;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}

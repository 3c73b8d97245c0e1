package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a director's heap becomes when it makes much that lives a little. */
class HeapKeeperTest {
    private static final int MEGABYTE = 1 << 20;
    private static final int ENOUGH = 200 * MEGABYTE;

    @Test
    void theHeapStaysNearWhatIsInUse() throws Exception {
        long kept = highest("kept");
        long left = highest("left to the collector");
        assertThat(left).as("as it would be").isGreaterThan(600);
        assertThat(kept).as("with %s MB without", left).isLessThan(250);
    }

    /** In a process of its own, with the director's collector; megabytes. */
    private static long highest(String word) throws Exception {
        Process process =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "-XX:+UseSerialGC",
                                "-Xmx1g",
                                "-XX:NewSize=12m",
                                "-XX:MaxNewSize=12m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Grower.class.getName(),
                                word)
                        .redirectErrorStream(true)
                        .start();
        String said =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(said).isZero();
        return Long.parseLong(said);
    }

    /** Uses 32 MB at any time, of 1 GB that it makes, and says how far the old generation grew. */
    static final class Grower {
        public static void main(String[] args) throws Exception {
            boolean kept = args[0].equals("kept");
            if (kept) {
                HeapKeeper.begin();
            }
            MemoryPoolMXBean old =
                    ManagementFactory.getMemoryPoolMXBeans().stream()
                            .filter(p -> p.getName().contains("Tenured"))
                            .findFirst()
                            .orElseThrow();
            var used = new ArrayDeque<List<byte[]>>();
            long highest = 0;
            for (int i = 0; i < 900; i++) {
                used.add(List.of(new byte[MEGABYTE / 2], new byte[MEGABYTE / 2]));
                if (used.size() > 32) {
                    used.remove();
                }
                // The keeper has a thread of its own, which needs its time on a busy machine.
                for (int patience = 10_000;
                        kept && patience > 0 && old.getUsage().getUsed() > ENOUGH;
                        patience--) {
                    Thread.sleep(1);
                }
                highest = Math.max(highest, old.getUsage().getUsed() / MEGABYTE);
            }
            System.out.println(highest);
        }
    }
}

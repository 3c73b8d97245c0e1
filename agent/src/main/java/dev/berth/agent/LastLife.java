package dev.berth.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the VM's first program did to an earlier life of the agent: it killed one that hung. The
 * next life tells of it, for the first program speaks to nobody.
 */
final class LastLife {
    private static final System.Logger LOG = System.getLogger(LastLife.class.getName());

    /** An agent that hangs again and again is told of by its latest deaths. */
    private static final int MOST = 5;

    private LastLife() {}

    /**
     * @param folder of the VM's first program, with a file {@code killed}: a line for each, {@code
     *     PID SECONDS}, the seconds being those without a pulse
     */
    static void tell(Path folder, Alerts alerts) {
        Path file = folder.resolve("killed");
        try {
            if (!Files.exists(file)) {
                return;
            }
            List<String> lines = Files.readAllLines(file);
            Files.delete(file);
            for (String line : lines.subList(Math.max(0, lines.size() - MOST), lines.size())) {
                String[] words = line.strip().split(" ");
                if (words.length == 2) {
                    alerts.killed(words[0], words[1]);
                }
            }
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "what became of the last agent cannot be read: {0}",
                    ActionException.words(e));
        }
    }
}

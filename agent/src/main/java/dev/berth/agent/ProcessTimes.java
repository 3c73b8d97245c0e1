package dev.berth.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the process table says of one process. */
final class ProcessTimes {
    private ProcessTimes() {}

    /** When it started, in hundredths of a second since the kernel did; 0 when it is not there. */
    static long startTicks(Path proc, long pid) {
        try {
            String stat = Files.readString(proc.resolve(pid + "/stat"));
            // The name in brackets may hold spaces; the fields after it are numbers.
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }
}

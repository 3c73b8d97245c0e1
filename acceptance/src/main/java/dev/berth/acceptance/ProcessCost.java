package dev.berth.acceptance;

/** What a process of this machine used between two moments. One owner. */
final class ProcessCost {
    private final long pid;
    private final double before;
    private final long begun = System.nanoTime();
    private double percent;
    private double megabytes;
    private double highest;

    /** Begins to count. */
    ProcessCost(long pid) {
        this.pid = pid;
        this.before = cpuSeconds(pid);
    }

    /** Ends it; figures are of this moment from then on. */
    void stop() {
        percent = 100 * (cpuSeconds(pid) - before) / BenchTools.secondsSince(begun);
        megabytes = megabytes(pid, "VmRSS");
        highest = megabytes(pid, "VmHWM");
    }

    /** Of one core. */
    double percent() {
        return percent;
    }

    /** Resident. */
    double megabytes() {
        return megabytes;
    }

    /** The most it ever had resident. */
    double highest() {
        return highest;
    }

    /** User and system time, of Linux' clock ticks, which are 10 ms wherever Berth runs. */
    static double cpuSeconds(long pid) {
        String stat = BenchVm.read(pid, "stat");
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
    }

    /**
     * @param name of the size in {@code /proc/PID/status}
     */
    static double megabytes(long pid, String name) {
        return Long.parseLong(BenchVm.status(pid, name).split("\\s+")[0]) / 1024.0;
    }
}

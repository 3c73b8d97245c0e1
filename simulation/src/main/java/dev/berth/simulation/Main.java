package dev.berth.simulation;

import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.LongStream;

/**
 * {@code berth sim}: runs seeds, or kills the director at each moment of the main changes in turn.
 */
public final class Main {
    private static final String USAGE =
            """
            usage: berth sim --seed N [--quiet]   one run, told as it happens
                   berth sim --seeds A-B          many runs
                   berth sim --crash-points       kills the director at each moment of each main change
                   berth sim --scale              measures the director's own work with 100 and 1,000 instances
            """;

    private Main() {}

    /** Ends with 0 when no rule was broken. */
    public static void main(String[] args) throws Exception {
        System.exit(run(args));
    }

    static int run(String[] args) throws Exception {
        Logger logger = Logger.getLogger("");
        logger.setLevel(Level.OFF); // crashes and lost messages are what this is about
        String command = args.length == 0 ? "--seeds" : args[0];
        String argument = args.length > 1 ? args[1] : "";
        try {
            return switch (command) {
                case "--seed" -> one(Long.parseLong(argument), args.length < 3);
                case "--seeds" -> many(argument.isEmpty() ? "1-200" : argument);
                case "--crash-points" -> CrashPoints.main();
                case "--scale" -> Scale.main();
                default -> usage();
            };
        } catch (NumberFormatException e) {
            return usage();
        } finally {
            logger.setLevel(Level.INFO);
        }
    }

    private static int usage() {
        System.err.print(USAGE);
        return 2;
    }

    private static int one(long seed, boolean aloud) {
        Simulation.Result result = Simulation.run(seed, aloud);
        System.out.println(
                "seed "
                        + seed
                        + ": "
                        + result.virtualSeconds()
                        + " s of virtual time, "
                        + result.writes()
                        + " writes, history "
                        + Long.toHexString(result.digest()));
        System.out.println("faults " + result.faults());
        System.out.println("checks " + result.checks());
        System.out.println(result.broken() == null ? "no rule broken" : result.broken());
        return result.broken() == null ? 0 : 1;
    }

    private static int many(String range) {
        int dash = range.indexOf('-');
        long first = Long.parseLong(range.substring(0, Math.max(0, dash)));
        long last = Long.parseLong(range.substring(dash + 1));
        var summary = new Summary();
        long begun = System.nanoTime();
        // Each world is a thread of its own and shares nothing with the others.
        LongStream.rangeClosed(first, last)
                .parallel()
                .mapToObj(seed -> Simulation.run(seed, false))
                .forEachOrdered(summary::add);
        summary.print(last - first + 1 + " seeds", System.nanoTime() - begun);
        return summary.broken == 0 ? 0 : 1;
    }

    /** Adds up runs. */
    static final class Summary {
        private final Map<String, Integer> faults = new TreeMap<>();
        private final Map<String, Long> checks = new TreeMap<>();
        private long virtualSeconds;
        private long writes;
        int broken;

        void add(Simulation.Result result) {
            if (result.broken() != null) {
                System.out.println("seed " + result.seed() + " breaks " + result.broken());
                System.out.println("  again: " + result.replay());
            }
            result.faults().forEach((kind, n) -> faults.merge(kind, n, Integer::sum));
            result.checks().forEach((rule, n) -> checks.merge(rule, n, Long::sum));
            virtualSeconds += result.virtualSeconds();
            writes += result.writes();
            broken += result.broken() == null ? 0 : 1;
        }

        void print(String what, long nanos) {
            System.out.printf(
                    "%s in %.1f s: %d h of virtual time, %d writes of the director%n",
                    what, nanos / 1e9, virtualSeconds / 3600, writes);
            faults.forEach((kind, n) -> System.out.printf("  fault %-32s %8d%n", kind, n));
            checks.forEach((rule, n) -> System.out.printf("  rule  %-32s %8d looks%n", rule, n));
            System.out.println(broken == 0 ? "no rule broken" : broken + " runs broke a rule");
        }
    }
}

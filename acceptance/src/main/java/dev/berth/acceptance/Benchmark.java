package dev.berth.acceptance;

import java.io.IOException;
import java.util.List;

/** One benchmark, or several that share what they are measured on. */
interface Benchmark {
    /** By which it can be asked for alone. */
    String name();

    List<BenchResult> run(BenchEnvironment environment, int runs) throws IOException;
}

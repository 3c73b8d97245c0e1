package dev.berth.stemcell;

import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code berth stemcell build}: makes the stemcell if the one at hand is stale, and says where it
 * is. Ends with 0, with 1 when the build cannot be done and with 2 when the words make no sense.
 */
public final class Main {
    private static final int STALE = 3;

    private Main() {}

    public static void main(String[] words) {
        System.exit(run(Arrays.asList(words), System.getenv(), System.out, System.err));
    }

    static int run(
            List<String> words, Map<String, String> environment, PrintStream out, PrintStream err) {
        // The launcher picks this program by its first word and hands that word on.
        List<String> rest =
                !words.isEmpty() && words.getFirst().equals("stemcell")
                        ? words.subList(1, words.size())
                        : words;
        if (rest.contains("--help") || rest.contains("-h")) {
            out.print(Options.USAGE);
            return 0;
        }
        if (rest.isEmpty() || !rest.getFirst().equals("build")) {
            err.print(Options.USAGE);
            return 2;
        }
        Options options;
        try {
            options = Options.parse(rest.subList(1, rest.size()), environment);
        } catch (ProblemException e) {
            err.println("berth stemcell build: " + e.getMessage());
            return 2;
        }
        Instant begin = Instant.now();
        PrintStream progress = options.json() ? err : out;
        try {
            var builder = new Builder(options, line -> progress.println("  " + line));
            Stemcell stemcell;
            if (options.check()) {
                Optional<Stemcell> current = builder.current();
                if (current.isEmpty()) {
                    err.println("there is no current stemcell: berth stemcell build makes one");
                    return STALE;
                }
                stemcell = current.get();
            } else {
                stemcell = builder.build();
            }
            if (options.json()) {
                out.println(stemcell.toJson());
            } else {
                out.printf(
                        "%s/%s: %d MB in %.1f s, %s%n",
                        Stemcell.NAME,
                        stemcell.version(),
                        stemcell.bytes() / 1_000_000,
                        Duration.between(begin, Instant.now()).toMillis() / 1000.0,
                        stemcell.file());
            }
            return 0;
        } catch (ProblemException e) {
            err.println("berth stemcell build: " + e.getMessage());
            return 1;
        } catch (IOException e) {
            err.println(
                    "berth stemcell build: "
                            + e
                            + " ("
                            + Shell.remedy(String.valueOf(e.getMessage()), "see the path named")
                            + ")");
            return 1;
        }
    }
}

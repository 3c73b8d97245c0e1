package dev.berth.stemcell;

import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one {@code berth stemcell build} was asked to do.
 *
 * @param cache directory of the layers and of the newest stemcell
 * @param agentLib directory of the agent's jars, as the build lays them out
 * @param mirror of Debian's archive; empty for the one that this host installs from, and on a host
 *     of another distribution for debootstrap's own
 * @param out where the tarball goes besides; null to leave it in the cache
 * @param json print the finished stemcell's facts as JSON, and progress on standard error
 * @param force build even when the cached stemcell is current
 * @param check build nothing: only tell whether the cached stemcell is current
 */
record Options(
        Path cache,
        Path agentLib,
        Base base,
        String suite,
        String mirror,
        @Nullable Path out,
        boolean json,
        boolean force,
        boolean check) {
    static final String USAGE =
            """
            usage: berth stemcell build [--out FILE.tgz] [--base debootstrap|image:REF]
                                        [--suite bookworm|trixie] [--mirror URL]
                                        [--force | --check] [--json]
            """;

    private static final List<String> SUITES = List.of("bookworm", "trixie");

    /** Reads the words after {@code build}; throws {@link ProblemException} naming the bad one. */
    static Options parse(List<String> words, Map<String, String> environment) {
        String home = environment.get("BERTH_HOME");
        if (home == null) {
            home = environment.getOrDefault("HOME", "/root") + "/.berth";
        }
        String dist = environment.getOrDefault("BERTH_DIST", "dist/target");
        Base base = new Base.Debootstrap();
        String suite = suiteFor(javaVendor(), codename());
        String mirror = environment.getOrDefault("BERTH_DEBIAN_MIRROR", "");
        Path out = null;
        boolean json = false;
        boolean force = false;
        boolean check = false;
        Deque<String> rest = words(words);
        while (!rest.isEmpty()) {
            String word = rest.pop();
            switch (word) {
                case "--out" -> out = Path.of(value(word, rest));
                case "--base" -> base = Base.parse(value(word, rest));
                case "--suite" -> suite = suite(value(word, rest));
                case "--mirror" -> mirror = value(word, rest);
                case "--json" -> json = true;
                case "--force" -> force = true;
                case "--check" -> check = true;
                default -> throw refused(word, "is not known here", USAGE.strip());
            }
        }
        if (check && (force || out != null)) {
            throw refused("--check", "builds and writes nothing", "leave --force and --out away");
        }
        return new Options(
                Path.of(home, "cache", "stemcell"),
                Path.of(dist, "agent", "lib"),
                base,
                suite,
                mirror,
                out,
                json,
                force,
                check);
    }

    /**
     * The suite to build when none is named. A JDK packaged by a distribution is linked against
     * that distribution's C library and runs in no older one, so Ubuntu's gets the newest suite;
     * others are linked to run nearly anywhere.
     */
    static String suiteFor(String javaVendor, String hostCodename) {
        if (javaVendor.contains("Ubuntu")) {
            return SUITES.getLast();
        }
        boolean packaged = javaVendor.contains("Debian") && SUITES.contains(hostCodename);
        return packaged ? hostCodename : SUITES.getFirst();
    }

    private static String javaVendor() {
        return System.getProperty("java.vendor", "");
    }

    /** The host's Debian suite; empty where there is none. */
    private static String codename() {
        try (Stream<String> lines = Files.lines(Path.of("/etc/os-release"))) {
            return lines.filter(line -> line.startsWith("VERSION_CODENAME="))
                    .map(line -> line.substring(line.indexOf('=') + 1))
                    .findFirst()
                    .orElse("");
        } catch (IOException | UncheckedIOException e) {
            return "";
        }
    }

    /** Splits {@code --key=value}, so that both spellings read alike. */
    private static Deque<String> words(List<String> words) {
        var split = new ArrayDeque<String>();
        for (String word : words) {
            int equals = word.startsWith("--") ? word.indexOf('=') : -1;
            if (equals < 0) {
                split.add(word);
            } else {
                split.addAll(Arrays.asList(word.substring(0, equals), word.substring(equals + 1)));
            }
        }
        return split;
    }

    private static String value(String option, Deque<String> rest) {
        String value = rest.poll();
        if (value == null || value.isEmpty()) {
            throw refused(option, "needs a value", USAGE.strip());
        }
        return value;
    }

    private static String suite(String name) {
        if (!SUITES.contains(name)) {
            throw refused("--suite", "'" + name + "' is not tried", "one of " + SUITES);
        }
        return name;
    }

    private static ProblemException refused(String place, String message, String remedy) {
        return new ProblemException(List.of(Problem.at(place, message, remedy)));
    }
}

package dev.berth.stemcell;

import dev.berth.model.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What each layer is made from, and the key that changes exactly when that does. Keys name the
 * directories of the cache; the last one tells whether a stemcell is stale.
 */
record Recipe(
        Base base,
        String suite,
        List<String> packages,
        List<String> trim,
        String javaVersion,
        List<AgentJar> agentJars) {
    /** One jar of the agent's class path, as it was when the recipe was read. */
    record AgentJar(Path file, String digest) {
        String name() {
            return file.getFileName().toString();
        }
    }

    /** Raised when the way a layer is laid out changes though none of its inputs does. */
    private static final String LAYOUT = "1";

    /** What the agent's jars and TLS need of the JDK; the training run fails if one is missing. */
    static final List<String> MODULES =
            List.of("java.base", "java.logging", "jdk.crypto.ec", "jdk.unsupported");

    /** Which compiler compiles what of the agent; in {@code /var/vcap/bosh/etc}. */
    static final String COMPILER = "agent-compiler.json";

    /** The serial collector and a small heap: an agent mostly waits. */
    static final List<String> JVM_OPTIONS =
            List.of(
                    "-XX:+UseSerialGC",
                    "-Xmx32m",
                    "-Xms12m",
                    "-Xmn4m",
                    "-XX:MinHeapFreeRatio=15",
                    "-XX:MaxHeapFreeRatio=30",
                    "-XX:-UsePerfData",
                    "-XX:+ExitOnOutOfMemoryError",
                    "-enableassertions",
                    "-Djava.util.logging.SimpleFormatter.format=%4$s %5$s%6$s%n");

    /** The training run is over before the second compiler would be of use. */
    static final List<String> TRAINING_OPTIONS = List.of("-XX:TieredStopAtLevel=1");

    /**
     * The second compiler costs resident memory and works for encryption alone: in the first one's
     * code TLS carries 12 MB/s, a thirtieth of what it can. What a burst took is given back.
     */
    static final List<String> RUNNING_OPTIONS =
            List.of(
                    "-XX:+UnlockDiagnosticVMOptions",
                    "-XX:TrimNativeHeapInterval=60000",
                    "-XX:ReservedCodeCacheSize=48m",
                    "-XX:-SegmentedCodeCache",
                    "-XX:CompilerDirectivesFile=/var/vcap/bosh/etc/" + COMPILER,
                    "-XX:CompileCommand=quiet",
                    // At once; else the first 50 MB go at the pace of before.
                    "-XX:CompileCommand=CompileThresholdScaling,"
                            + "com.sun.crypto.provider.GaloisCounterMode*::*,0.02");

    /** Files of this package that go into every VM's {@code /var/vcap/bosh/bin}. */
    static final List<String> PROGRAMS = List.of("berth-init", "berth-dockerd");

    /**
     * What the Docker daemon starts with until the agent knows more; in {@code /var/vcap/bosh/etc}.
     */
    static final String DAEMON = "dockerd.json";

    static Recipe of(Options options) {
        return new Recipe(
                options.base(),
                options.suite(),
                forSuite(lines("packages.list"), options.suite()),
                lines("trim.list"),
                Runtime.version().toString(),
                jars(options.agentLib()));
    }

    String rootKey() {
        return key(
                base.toString(),
                suite,
                String.join(",", packages),
                String.join(",", trim),
                resource("root-debootstrap.sh"),
                resource("root-image.sh"),
                resource("root-finish.sh"));
    }

    String runtimeKey() {
        return key(javaVersion, String.join(",", MODULES), System.getProperty("os.arch", "?"));
    }

    /** The whole stemcell: both layers below, the programs, the options and every agent jar. */
    String key() {
        var parts = new ArrayList<String>(List.of(rootKey(), runtimeKey()));
        parts.addAll(JVM_OPTIONS);
        parts.addAll(TRAINING_OPTIONS);
        parts.addAll(RUNNING_OPTIONS);
        parts.addAll(List.of(resource("train.sh"), resource("pack.sh")));
        PROGRAMS.forEach(name -> parts.add(resource(name)));
        parts.add(resource(DAEMON));
        parts.add(resource(COMPILER));
        agentJars.forEach(jar -> parts.add(jar.name() + " " + jar.digest()));
        return key(parts.toArray(String[]::new));
    }

    /** The lines of a list that hold for a suite: {@code SUITE:name} only for that one. */
    static List<String> forSuite(List<String> lines, String suite) {
        return lines.stream()
                .filter(line -> !line.contains(":") || line.startsWith(suite + ":"))
                .map(line -> line.substring(line.indexOf(':') + 1))
                .toList();
    }

    static String resource(String name) {
        try (InputStream in = Recipe.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the stemcell jar lacks " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(String name) {
        return resource(name)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
    }

    /** In name order: the AOT cache holds only for the class path it was made with. */
    private static List<AgentJar> jars(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .map(file -> new AgentJar(file, digest(file)))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String digest(Path file) {
        try {
            return Digests.sha256(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String key(String... parts) {
        return Digests.sha256(LAYOUT + "\n" + String.join("\n", parts)).substring(0, 16);
    }
}

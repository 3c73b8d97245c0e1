package dev.berth.stemcell;

import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The three layers of an image as directories of the cache. A layer is built beside its place and
 * renamed when whole, so that a name without {@code .partial} always means a finished layer.
 */
final class Layers {
    private static final String HOME = "var/vcap/bosh/agent";
    private static final Duration ROOT_LIMIT = Duration.ofMinutes(30); // slow mirrors
    private static final Duration LINK_LIMIT = Duration.ofMinutes(5);
    private static final Duration TRAINING_LIMIT = Duration.ofSeconds(120);
    private final Path cache;
    private final Recipe recipe;
    private final Shell shell;
    private final Consumer<String> say;

    Layers(Path cache, Recipe recipe, Shell shell, Consumer<String> say) {
        this.cache = cache;
        this.recipe = recipe;
        this.shell = shell;
        this.say = say;
    }

    Path root(String mirror) throws IOException {
        Path root = cache.resolve("root-" + recipe.rootKey());
        if (Files.isDirectory(root)) {
            say.accept("Debian root " + recipe.suite() + ": from the cache");
            return root;
        }
        Path partial = fresh(root);
        String packages = String.join(",", recipe.packages());
        switch (recipe.base()) {
            case Base.Debootstrap() -> {
                say.accept(
                        "Debian root "
                                + recipe.suite()
                                + ": debootstrap"
                                + (mirror.isEmpty() ? "" : " from " + mirror)
                                + ", about a minute");
                needs("debootstrap", "apt-get install debootstrap, or use --base image:REF");
                shell.mounting(
                        "making the Debian root",
                        ROOT_LIMIT,
                        Recipe.resource("root-debootstrap.sh"),
                        partial.toString(),
                        recipe.suite(),
                        mirror,
                        packages);
            }
            case Base.Image(String reference) -> {
                say.accept("Debian root: packages added to image " + reference);
                needs("docker", "install a docker client, or use --base debootstrap");
                shell.mounting(
                        "making the Debian root from image " + reference,
                        ROOT_LIMIT,
                        Recipe.resource("root-image.sh"),
                        partial.toString(),
                        reference,
                        packages);
            }
        }
        finish(partial, mirror);
        return Files.move(partial, root);
    }

    private void finish(Path partial, String mirror) throws IOException {
        Path trim = cache.resolve("trim");
        Files.write(trim, recipe.trim());
        shell.script(
                "finishing the Debian root",
                LINK_LIMIT,
                Recipe.resource("root-finish.sh"),
                partial.toString(),
                recipe.suite(),
                mirror,
                trim.toString(),
                packageList().toString());
    }

    /** Which packages, in which versions, the root of this recipe holds. */
    Path packageList() {
        return cache.resolve("packages-" + recipe.rootKey() + ".txt");
    }

    Path runtime() throws IOException {
        Path runtime = cache.resolve("jre-" + recipe.runtimeKey());
        if (Files.isDirectory(runtime)) {
            return runtime;
        }
        say.accept("Java runtime " + recipe.javaVersion() + ": trimmed to what the agent uses");
        Path partial = fresh(runtime);
        Files.createDirectories(partial.resolve(HOME));
        Path jlink = Path.of(System.getProperty("java.home"), "bin", "jlink");
        if (!Files.isExecutable(jlink)) {
            throw refused("this Java has no jlink: " + jlink, "run Berth on a JDK, not on a JRE");
        }
        shell.run(
                "trimming the Java runtime",
                LINK_LIMIT,
                List.of(
                        jlink.toString(),
                        "--add-modules",
                        String.join(",", Recipe.MODULES),
                        "--strip-java-debug-attributes",
                        "--no-header-files",
                        "--no-man-pages",
                        "--compress",
                        "zip-6",
                        "--output",
                        partial.resolve(HOME).resolve("jre").toString()));
        return Files.move(partial, runtime);
    }

    /** The programs, the agent's jars and their AOT cache: always made anew, it takes seconds. */
    Path agent(Path root, Path runtime, String version) throws IOException {
        if (recipe.agentJars().isEmpty()) {
            throw refused("there are no agent jars to put into the stemcell", "run ./berth build");
        }
        Path agent = fresh(cache.resolve("agent"));
        Path lib = Files.createDirectories(agent.resolve(HOME).resolve("lib"));
        for (Recipe.AgentJar jar : recipe.agentJars()) {
            Files.copy(jar.file(), lib.resolve(jar.name()), StandardCopyOption.COPY_ATTRIBUTES);
        }
        Path bin = Files.createDirectories(agent.resolve("var/vcap/bosh/bin"));
        for (String program : Recipe.PROGRAMS) {
            Path file = Files.writeString(bin.resolve(program), Recipe.resource(program));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Path etc = Files.createDirectories(agent.resolve("var/vcap/bosh/etc"));
        Files.writeString(etc.resolve(Recipe.DAEMON), Recipe.resource(Recipe.DAEMON));
        Files.writeString(etc.resolve(Recipe.COMPILER), Recipe.resource(Recipe.COMPILER));
        Files.writeString(etc.resolve("stemcell_version"), version + "\n");
        Files.writeString(etc.resolve("operating_system"), Stemcell.OPERATING_SYSTEM + "\n");
        Files.write(
                agent.resolve(HOME).resolve("jvm.options"),
                options(Recipe.RUNNING_OPTIONS, "-XX:AOTCache="));
        train(root, runtime, agent);
        return agent;
    }

    private void train(Path root, Path runtime, Path agent) {
        say.accept("agent: AOT cache from a training run");
        var arguments = new ArrayList<String>();
        arguments.addAll(
                List.of(
                        root.toString(),
                        runtime.toString(),
                        agent.toString(),
                        String.valueOf(TRAINING_LIMIT.toSeconds())));
        arguments.addAll(options(Recipe.TRAINING_OPTIONS, "-XX:AOTCacheOutput="));
        arguments.addAll(List.of("dev.berth.agent.Main", "--train"));
        shell.mounting(
                "the agent's training run",
                TRAINING_LIMIT.plusSeconds(30),
                Recipe.resource("train.sh"),
                arguments.toArray(String[]::new));
    }

    private List<String> options(List<String> compilers, String aot) {
        var options = new ArrayList<>(Recipe.JVM_OPTIONS);
        options.addAll(compilers);
        options.add(aot + "/" + HOME + "/agent.aot");
        options.add("-cp");
        options.add(
                recipe.agentJars().stream()
                        .map(jar -> "/" + HOME + "/lib/" + jar.name())
                        .collect(Collectors.joining(":")));
        return options;
    }

    private static Path fresh(Path place) {
        Path partial = place.resolveSibling(place.getFileName() + ".partial");
        delete(partial);
        return partial;
    }

    /** Removes a tree of the cache; links are removed, not followed. */
    static void delete(Path tree) {
        if (!Files.exists(tree, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (var files = Files.walk(tree)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void needs(String tool, String remedy) {
        for (String directory : (System.getenv("PATH") + ":/usr/sbin:/sbin").split(":")) {
            if (Files.isExecutable(Path.of(directory, tool))) {
                return;
            }
        }
        throw refused("there is no " + tool + " on this machine", remedy);
    }

    static ProblemException refused(String message, String remedy) {
        return new ProblemException(List.of(new Problem(100, null, message, remedy)));
    }
}

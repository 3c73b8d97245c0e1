package dev.berth.stemcell;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Builds a stemcell from its layers, unless the cache holds one made from the very same things. */
final class Builder {
    /** Root, its packages, image and tarball together, with room to spare. */
    private static final long BYTES_NEEDED = 2L * 1024 * 1024 * 1024;

    private static final Duration PACK_LIMIT = Duration.ofMinutes(15);
    private final Options options;
    private final Consumer<String> say;

    /** {@code say} takes one line a step. */
    Builder(Options options, Consumer<String> say) {
        this.options = options;
        this.say = say;
    }

    /** The cached stemcell, if it is made from what would be built now. */
    Optional<Stemcell> current() throws IOException {
        String key = Recipe.of(options).key();
        return Stemcell.current(options.cache()).filter(stemcell -> stemcell.key().equals(key));
    }

    Stemcell build() throws IOException {
        Recipe recipe = Recipe.of(options);
        Path cache = options.cache();
        Optional<Stemcell> current = Stemcell.current(cache);
        if (!options.force() && current.isPresent() && current.get().key().equals(recipe.key())) {
            say.accept("stemcell " + current.get().version() + " is current");
            return deliver(current.get());
        }
        refuseWithoutMeans();
        Files.createDirectories(cache);
        // One build at a time: a second one waits and then most likely finds its stemcell made.
        try (var lock =
                FileChannel.open(
                        cache.resolve("lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE)) {
            lock.lock();
            Optional<Stemcell> last = Stemcell.current(cache);
            if (!options.force() && last.isPresent() && last.get().key().equals(recipe.key())) {
                return deliver(last.get());
            }
            return deliver(make(recipe, Stemcell.versionAfter(last, Instant.now())));
        }
    }

    private Stemcell make(Recipe recipe, String version) throws IOException {
        Path cache = options.cache();
        var shell = new Shell(cache.resolve("last.log"));
        var layers = new Layers(cache, recipe, shell, say);
        Path root = layers.root(options.mirror());
        Path runtime = layers.runtime();
        Path agent = layers.agent(root, runtime, version);

        say.accept("image: packing");
        Path work = cache.resolve("pack.partial");
        Layers.delete(work);
        Files.createDirectories(work);
        Path image = work.resolve("image");
        shell.script(
                "packing the image",
                PACK_LIMIT,
                Recipe.resource("pack.sh"),
                root.toString(),
                runtime.toString(),
                agent.toString(),
                image.toString());
        Path file = cache.resolve("berth-debian-" + version + ".tar");
        Stemcell stemcell = tarball(recipe, version, work, layers, shell, file);
        stemcell.record(cache);
        tidy(recipe, file);
        return stemcell;
    }

    private static Stemcell tarball(
            Recipe recipe, String version, Path work, Layers layers, Shell shell, Path file)
            throws IOException {
        Path image = work.resolve("image");
        MessageDigest sha1 = digest("SHA-1");
        MessageDigest sha256 = digest("SHA-256");
        try (InputStream in = Files.newInputStream(image)) {
            byte[] buffer = new byte[1 << 20];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                sha1.update(buffer, 0, read);
                sha256.update(buffer, 0, read);
            }
        }
        String imageSha1 = HexFormat.of().formatHex(sha1.digest());
        String content = HexFormat.of().formatHex(sha256.digest());
        Files.writeString(
                work.resolve("stemcell.MF"),
                Stemcell.manifest(
                        version, imageSha1, content, System.getProperty("os.arch", "amd64")));
        Files.copy(layers.packageList(), work.resolve("packages.txt"));
        // Plain: the engine next door reads it at once, and packing it would take longer than the
        // build.
        shell.run(
                "packing the stemcell",
                PACK_LIMIT,
                List.of(
                        "tar",
                        "--create",
                        "--file",
                        file + ".partial",
                        "--directory",
                        work.toString(),
                        "stemcell.MF",
                        "packages.txt",
                        "image"));
        Files.move(
                Path.of(file + ".partial"),
                file,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        return new Stemcell(
                version, recipe.key(), file.toAbsolutePath(), imageSha1, content, Files.size(file));
    }

    private Stemcell deliver(Stemcell stemcell) throws IOException {
        Path out = options.out();
        if (out == null) {
            return stemcell;
        }
        // Compressed, for it may go far, and because the stock CLI reads no other stemcell.
        String pack = "exec gzip -1 -c \"$1\" > \"$2\"";
        new Shell(options.cache().resolve("last.log"))
                .script(
                        "writing " + out,
                        PACK_LIMIT,
                        pack,
                        stemcell.file().toString(),
                        out.toAbsolutePath().toString());
        return new Stemcell(
                stemcell.version(),
                stemcell.key(),
                out.toAbsolutePath(),
                stemcell.sha1(),
                stemcell.content(),
                Files.size(out));
    }

    private void refuseWithoutMeans() throws IOException {
        if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            throw Layers.refused(
                    "a root file system can only be made by root",
                    "run it with sudo, as ./berth does by itself");
        }
        Files.createDirectories(options.cache());
        long free = options.cache().toFile().getUsableSpace();
        if (free < BYTES_NEEDED) {
            throw Layers.refused(
                    "only %d MB are free under %s; a stemcell needs %d MB"
                            .formatted(free >> 20, options.cache(), BYTES_NEEDED >> 20),
                    "free some space, or set BERTH_HOME to a larger disk");
        }
    }

    /** Removes what earlier recipes left: the cache holds one stemcell and its layers. */
    private void tidy(Recipe recipe, Path file) throws IOException {
        Set<String> keep =
                Set.of(
                        "root-" + recipe.rootKey(),
                        "packages-" + recipe.rootKey() + ".txt",
                        "jre-" + recipe.runtimeKey(),
                        "current.json",
                        "lock",
                        file.getFileName().toString());
        List<Path> old;
        try (Stream<Path> files = Files.list(options.cache())) {
            old =
                    files.filter(entry -> !keep.contains(entry.getFileName().toString()))
                            .collect(Collectors.toList());
        }
        old.forEach(Layers::delete);
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks " + algorithm, e);
        }
    }
}

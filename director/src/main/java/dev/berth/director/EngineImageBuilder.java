package dev.berth.director;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Fields;
import dev.berth.model.ImageName;
import dev.berth.model.RegistryLogin;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Builds with the Docker Engine of the environment, beside the VMs: a plan needs the digest of an
 * image before there is a VM to build it. Base images come through the environment's registry.
 */
final class EngineImageBuilder implements ImageBuilder {
    private static final String DOCKERFILE = ".berth.dockerfile";
    private static final String LABEL = "berth.director";
    private static final int LONGEST_DOCKERFILE = 1024 * 1024;

    /** Built images that stay at the engine as the cache of the next builds. */
    private static final int KEPT = 10;

    private final Engine engine;
    private final BuildContexts contexts;
    private final RegistryLook registry;
    private final OutsideImages outside;
    private final RegistryLogin own;
    private final String director;
    private final Path folder;
    private final ConcurrentHashMap<String, ReentrantLock> builds = new ConcurrentHashMap<>();

    /**
     * @param own the environment's registry as the engine reaches it
     * @param director id that its images are labelled with
     * @param folder for contexts while they are built
     */
    EngineImageBuilder(
            Engine engine,
            BuildContexts contexts,
            RegistryLook registry,
            OutsideImages outside,
            RegistryLogin own,
            String director,
            Path folder) {
        this.engine = engine;
        this.contexts = contexts;
        this.registry = registry;
        this.outside = outside;
        this.own = own;
        this.director = director;
        this.folder = folder;
    }

    @Override
    public void build(Recipe recipe, List<RegistryLogin> logins, Consumer<String> progress)
            throws IOException, InterruptedException {
        String tag = recipe.tag();
        ReentrantLock lock = builds.computeIfAbsent(tag, t -> new ReentrantLock());
        boolean alone = lock.tryLock();
        if (!alone) { // another builds just this: wait for it, that is all
            lock.lockInterruptibly();
        }
        try {
            if (alone || !isThere(tag)) {
                made(recipe, logins, progress);
            }
        } catch (EngineException e) {
            throw new IOException(String.valueOf(e.getMessage()), e);
        } finally {
            lock.unlock();
            if (!lock.hasQueuedThreads()) {
                builds.remove(tag, lock);
            }
        }
    }

    private boolean isThere(String tag) throws InterruptedException {
        try {
            return registry.digest(REPOSITORY, tag).startsWith("sha256:");
        } catch (IOException e) {
            return false;
        }
    }

    private void made(Recipe recipe, List<RegistryLogin> logins, Consumer<String> progress)
            throws IOException, InterruptedException {
        String context = recipe.build().context();
        Path given = context == null ? null : contexts.open(context);
        var bases = new ArrayList<String>();
        Dockerfile dockerfile =
                new Dockerfile(text(recipe, given))
                        .on(base -> {
                            String copy = copy(base, recipe.platform(), logins, progress);
                            bases.add(copy);
                            return copy;
                        })
                        .labelled(LABEL, director);
        Path tar = Files.createTempFile(Files.createDirectories(folder), "build-", ".tar");
        try {
            write(tar, given, dockerfile.text());
            String image = own.host() + "/" + REPOSITORY + ":" + recipe.tag();
            try (InputStream in = Files.newInputStream(tar)) {
                String ignored =
                        engine.buildImage(
                                in,
                                new Engine.Build(
                                        image,
                                        DOCKERFILE,
                                        recipe.build().args(),
                                        recipe.build().target(),
                                        recipe.platform(),
                                        recipe.build().labels()),
                                line -> told(line, "stream", progress));
            }
            engine.pushImage(image, auth(), line -> told(line, "status", progress));
        } finally {
            Files.deleteIfExists(tar);
            bases.forEach(this::untag);
            tidy();
        }
    }

    private static void told(Map<String, Object> line, String key, Consumer<String> progress) {
        String text = Fields.of(line, "progress").string(key, "").strip();
        if (!text.isEmpty()) {
            progress.accept(text);
        }
    }

    private Engine.RegistryAuth auth() {
        var user = own.username();
        var password = own.password();
        return new Engine.RegistryAuth(
                user == null ? "" : user.reveal(),
                password == null ? "" : password.reveal(),
                own.host());
    }

    // --- what it stands on

    /** The base by its digest in the environment's registry, pulled to the engine. */
    private String copy(
            String base,
            @Nullable String platform,
            List<RegistryLogin> logins,
            Consumer<String> progress)
            throws IOException, InterruptedException {
        ImageName name = ImageName.parse(base);
        String at;
        try {
            at = inRegistry(name, platform, logins, progress);
        } catch (IOException e) {
            throw new IOException(
                    "its base image " + base + " cannot be had: " + e.getMessage(), e);
        }
        progress.accept("base image " + base);
        engine.pullImage(at, platform, auth(), line -> {});
        return at;
    }

    private String inRegistry(
            ImageName name,
            @Nullable String platform,
            List<RegistryLogin> logins,
            Consumer<String> progress)
            throws IOException, InterruptedException {
        if (name.isOfEnvironment()) {
            String digest = name.digest();
            return own.host()
                    + "/"
                    + name.repository()
                    + "@"
                    + (digest == null
                            ? registry.digest(name.repository(), name.version())
                            : digest);
        }
        var wanted = new OutsideImages.Wanted(name, platform, ImagePins.login(name, logins));
        try {
            String digest = outside.digest(wanted);
            outside.bring(wanted, digest, progress);
            return own.host() + "/" + name.repositoryInside() + "@" + digest;
        } catch (IOException e) {
            String words = String.valueOf(e.getMessage());
            throw new IOException(words + " (" + RegistryRemedy.of(wanted.login(), words) + ")", e);
        }
    }

    private void untag(String image) {
        try {
            engine.removeImage(image, false);
        } catch (EngineException e) {
            // Something is made from it: it is the cache of what was built, and goes with that.
            System.getLogger(EngineImageBuilder.class.getName())
                    .log(System.Logger.Level.DEBUG, "base image " + image + " stays", e);
        }
    }

    /** Newest stay, as a cache: built images, and stages, which have no name. */
    private void tidy() {
        try {
            List<Fields> ours =
                    engine.listImages().stream()
                            .map(tree -> Fields.of(tree, "image"))
                            .filter(i -> i.object("Labels").string(LABEL, "").equals(director))
                            .sorted(
                                    Comparator.comparingLong((Fields i) -> i.integer("Created", 0))
                                            .reversed())
                            .toList();
            ours.stream().filter(i -> isNamed(i)).skip(KEPT).forEach(this::drop);
            ours.stream().filter(i -> !isNamed(i)).skip(KEPT).forEach(this::drop);
        } catch (RuntimeException e) {
            System.getLogger(EngineImageBuilder.class.getName())
                    .log(System.Logger.Level.DEBUG, "old builds cannot be listed", e);
        }
    }

    private static boolean isNamed(Fields image) {
        return image.strings("RepoTags").stream().anyMatch(t -> !t.startsWith("<none>"));
    }

    private void drop(Fields image) {
        if (isNamed(image)) {
            image.strings("RepoTags").forEach(this::untag);
        } else {
            untag(image.string("Id"));
        }
    }

    // --- the context

    private static String text(Recipe recipe, @Nullable Path context) throws IOException {
        if (recipe.dockerfile() != null) {
            return recipe.dockerfile();
        }
        String path =
                java.util.Objects.requireNonNullElse(recipe.build().dockerfile(), "Dockerfile");
        if (context != null) {
            try (var tar = reading(context)) {
                for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    if (entry.isFile() && plain(entry.getName()).equals(plain(path))) {
                        byte[] text = tar.readNBytes(LONGEST_DOCKERFILE + 1);
                        if (text.length > LONGEST_DOCKERFILE) {
                            throw new IOException(path + " of its context is larger than 1 MiB");
                        }
                        return new String(text, StandardCharsets.UTF_8);
                    }
                }
            }
        }
        throw new IOException("its context has no " + path);
    }

    private static String plain(String path) {
        return path.replaceFirst("^(\\./)+", "");
    }

    private static TarArchiveInputStream reading(Path tar) throws IOException {
        return new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(tar)));
    }

    /** The context, and beside it the Dockerfile that is really built. */
    private static void write(Path to, @Nullable Path context, String dockerfile)
            throws IOException {
        try (var out =
                new TarArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
            if (context != null) {
                try (var in = reading(context)) {
                    for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                        out.putArchiveEntry(entry);
                        in.transferTo(out);
                        out.closeArchiveEntry();
                    }
                }
            }
            byte[] text = dockerfile.getBytes(StandardCharsets.UTF_8);
            var entry = new TarArchiveEntry(DOCKERFILE);
            entry.setSize(text.length);
            entry.setModTime(0);
            out.putArchiveEntry(entry);
            out.write(text);
            out.closeArchiveEntry();
        }
    }
}

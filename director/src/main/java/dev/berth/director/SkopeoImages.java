package dev.berth.director;

import dev.berth.model.ImageName;
import dev.berth.model.RegistryLogin;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Brings images in with {@code skopeo}, blob by blob from one registry to the other: nothing is
 * stored between them, and layers that are there already are not sent again.
 */
final class SkopeoImages implements OutsideImages {
    private static final Duration ASKING = Duration.ofSeconds(60);

    /** Weighed against images of some gigabytes over a slow line. */
    private static final Duration COPYING = Duration.ofMinutes(30);

    private final Skopeo skopeo;
    private final RegistryClient own;
    private final Supplier<RegistryLogin> ownLogin;
    private final ConcurrentHashMap<String, ReentrantLock> copies = new ConcurrentHashMap<>();

    /**
     * @param ownLogin of the environment's registry as this host reaches it
     */
    SkopeoImages(Skopeo skopeo, RegistryClient own, Supplier<RegistryLogin> ownLogin) {
        this.skopeo = skopeo;
        this.own = own;
        this.ownLogin = ownLogin;
    }

    @Override
    public String digest(Wanted image) throws IOException, InterruptedException {
        byte[] raw =
                skopeo.inspect(
                        new Skopeo.End("", image.login()),
                        List.of("--raw", "docker://" + image.name().text()),
                        ASKING);
        return Platform.of(image.platform()).digestIn(raw);
    }

    @Override
    public boolean has(ImageName image, String digest) throws IOException, InterruptedException {
        return own.has(image.repositoryInside(), digest);
    }

    @Override
    public void bring(Wanted image, String digest, Consumer<String> progress)
            throws IOException, InterruptedException {
        ImageName name = image.name();
        String key = name.repositoryInside() + "@" + digest;
        ReentrantLock lock = copies.computeIfAbsent(key, k -> new ReentrantLock());
        lock.lockInterruptibly();
        try {
            if (has(name, digest)) {
                return;
            }
            // Its own tag for each digest: what is pinned is never without a tag, and no tag moves.
            String tag = digest.replace(':', '-');
            skopeo.copy(
                    List.of(
                            new Skopeo.End("src-", image.login()),
                            new Skopeo.End("dest-", ownLogin.get())),
                    List.of(
                            "--preserve-digests",
                            "--retry-times",
                            "2",
                            "docker://" + name.place() + "@" + digest,
                            "docker://"
                                    + ownLogin.get().host()
                                    + "/"
                                    + name.repositoryInside()
                                    + ":"
                                    + tag),
                    COPYING,
                    progress);
        } finally {
            lock.unlock();
            if (!lock.hasQueuedThreads()) {
                copies.remove(key, lock);
            }
        }
    }
}

package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Removes images that nobody needs any more from the engine of the VM. Only images that were once
 * wished here are ever considered; those of the present wish, of the one before it and of the last
 * good one stay, and so does whatever the engine says a container uses, ours or another's. Of the
 * rest a few stay for those who go back further, unless the disk is nearly full. Thread-safe.
 */
final class ImageKeeper {
    private static final System.Logger LOG = System.getLogger(ImageKeeper.class.getName());

    /** Part of the supervisor's memory. */
    static final String PART = "images";

    /** Parts of the disk in use, of a hundred, from which on none stays. */
    static final int TIGHT_PERCENT = 85;

    private static final Duration PERIOD = Duration.ofMinutes(5);
    private final Engine engine;
    private final SupervisorMemory memory;
    private final Clock clock;

    /** Held while images are removed, so that none goes while it is made ready. */
    private final ReentrantLock removing = new ReentrantLock();

    // Everything below belongs to this object's own lock.
    private KnownImages known = KnownImages.NONE;
    private Set<String> preparing = new HashSet<>();
    private Instant due = Instant.MIN;
    private boolean busy;

    ImageKeeper(Engine engine, SupervisorMemory memory, Clock clock) {
        this.engine = engine;
        this.memory = memory;
        this.clock = clock;
    }

    /** Recalls what was wished before this process. */
    synchronized void open() {
        try {
            memory.read(PART).map(KnownImages::parse).ifPresent(k -> known = k);
        } catch (IllegalArgumentException e) {
            // Nothing is lost: images that are not known are not removed.
            LOG.log(System.Logger.Level.WARNING, "the memory of images cannot be read", e);
        }
    }

    /** These are about to be looked for, and stay until the next are. */
    void preparing(Collection<String> images) {
        removing.lock(); // an image that goes just now is pulled again afterwards
        try {
            synchronized (this) {
                preparing = new HashSet<>(images);
            }
        } finally {
            removing.unlock();
        }
    }

    /** These are wished from now on. Does not wait for the engine. */
    synchronized void wished(Collection<String> images) {
        KnownImages next = known.wishing(images);
        if (next == known) {
            return;
        }
        known = next;
        due = clock.now().plus(PERIOD); // let the change come to rest first
        try {
            memory.write(PART, next.text());
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the memory of images cannot be written", e);
        }
    }

    /** Begins to remove what nobody needs if it is time to; never waits. */
    void turn(Instant now) {
        synchronized (this) {
            if (busy || known.older().isEmpty() || now.isBefore(due)) {
                return;
            }
            busy = true;
            due = now.plus(PERIOD);
        }
        Thread.ofVirtual().name("unused images").start(this::collect);
    }

    private void collect() {
        try {
            collect(isTight());
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.DEBUG, "unused images are looked at later", e);
        } finally {
            synchronized (this) {
                busy = false;
            }
        }
    }

    /** One pass; blocking. */
    void collect(boolean tight) {
        for (String image : unneeded(tight)) {
            removing.lock();
            try {
                if (unneeded(tight).contains(image)) { // it may be wished by now
                    remove(image);
                }
            } finally {
                removing.unlock();
            }
        }
    }

    private synchronized List<String> unneeded(boolean tight) {
        var staying = new HashSet<>(preparing);
        // What a failed change goes back to, however many wishes ago that was.
        memory.read(MemoryText.GOOD)
                .map(MemoryText::wish)
                .ifPresent(good -> staying.addAll(good.images()));
        return known.unneeded(staying, tight);
    }

    private void remove(String image) {
        try {
            engine.removeImage(image, false);
        } catch (EngineException e) {
            if (!e.isNotFound()) {
                // A container of somebody uses it: asked again at the next pass.
                LOG.log(System.Logger.Level.DEBUG, "image " + image + " stays: " + e.getMessage());
                return;
            }
        }
        LOG.log(System.Logger.Level.INFO, "image={0} removed: no wish names it any more", image);
        synchronized (this) {
            known = known.without(image);
            memory.write(PART, known.text());
        }
    }

    private boolean isTight() {
        Map<String, Object> info = engine.info();
        Path root = Path.of(Fields.of(info, "info").string("DockerRootDir", "/var/lib/docker"));
        try {
            FileStore disk = Files.getFileStore(root);
            long total = disk.getTotalSpace();
            return total > 0 && 100 - disk.getUsableSpace() * 100 / total >= TIGHT_PERCENT;
        } catch (IOException e) {
            return false; // a root that is not ours to see
        }
    }
}

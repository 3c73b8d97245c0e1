package dev.berth.agent;

import dev.berth.model.DiskCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** Looks whether the disk at {@code store} is the one that belongs there. Thread-safe. */
final class StoreProver {
    private final Layout layout;
    private final DiskTools tools;

    StoreProver(Layout layout, DiskTools tools) {
        this.layout = layout;
        this.tools = tools;
    }

    /** Mounted, writable by its mount, and carrying the identity: a millisecond's look. */
    StoreProof quick(DiskCid cid) {
        Optional<DiskTools.Mount> mount = mountedAt(layout.store());
        if (mount.isEmpty()) {
            return new StoreProof.Unproven("disk " + cid + " is not mounted at " + layout.store());
        }
        if (mount.get().readOnly()) {
            return new StoreProof.Unproven(
                    "disk " + cid + " is mounted read-only (a failing disk becomes so)");
        }
        Optional<String> identity = identity(layout.store());
        return identity.equals(Optional.of(cid.value()))
                ? new StoreProof.Proven(cid)
                : new StoreProof.Unproven(wrong(cid, identity));
    }

    /** The quick look, and a write that reaches the disk. */
    StoreProof full(DiskCid cid) {
        StoreProof quick = quick(cid);
        if (!(quick instanceof StoreProof.Proven)) {
            return quick;
        }
        return tools.cannotWrite(layout.store())
                .<StoreProof>map(why ->
                        new StoreProof.Unproven("disk " + cid + " cannot be written: " + why))
                .orElse(quick);
    }

    /** What is seen at a place: the last mount there. */
    Optional<DiskTools.Mount> mountedAt(Path at) {
        return tools.mounts().stream().filter(m -> m.at().equals(at)).reduce((a, b) -> b);
    }

    /** The cid that a mounted file system carries; empty when it carries none. */
    static Optional<String> identity(Path at) {
        try {
            Path file = at.resolve(Disks.IDENTITY_FILE);
            return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) <= 1024
                    ? Optional.of(Files.readString(file).strip())
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.of("(unreadable: " + ActionException.words(e) + ")");
        }
    }

    static String wrong(DiskCid cid, Optional<String> found) {
        return "wrong disk: expected '"
                + cid
                + "', found "
                + found.map(other -> "'" + other + "'").orElse("data without an identity")
                + " in "
                + Disks.IDENTITY_FILE;
    }
}

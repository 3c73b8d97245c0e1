package dev.berth.agent;

import dev.berth.model.DiskCid;
import java.nio.file.Path;
import java.util.Optional;

/** Looks whether the disk at a live place is the one that belongs there. Thread-safe. */
final class MountProver {
    private final Layout layout;
    private final DiskTools tools;

    MountProver(Layout layout, DiskTools tools) {
        this.layout = layout;
        this.tools = tools;
    }

    /**
     * Mounted, writable by its mount, carrying the identity, and no mark that it must not be live:
     * a millisecond's look.
     */
    MountProof quick(String name, DiskCid cid) {
        Path at = layout.place(name);
        Optional<DiskTools.Mount> mount =
                tools.mounts().stream().filter(m -> m.at().equals(at)).reduce((a, b) -> b);
        if (mount.isEmpty()) {
            return new MountProof.Unproven("disk " + cid + " is not mounted at " + at);
        }
        if (mount.get().readOnly()) {
            return new MountProof.Unproven(
                    "disk " + cid + " is mounted read-only (a failing disk becomes so)");
        }
        Optional<String> identity = DiskMarks.identity(at);
        if (!identity.equals(Optional.of(cid.value()))) {
            return new MountProof.Unproven(wrong(cid, identity));
        }
        return DiskMarks.notLive(cid, at)
                .<MountProof>map(why -> new MountProof.Unproven(why.words()))
                .orElse(new MountProof.Proven(cid));
    }

    static String wrong(DiskCid cid, Optional<String> found) {
        return "wrong disk: expected '"
                + cid
                + "', found "
                + found.map(other -> "'" + other + "'").orElse("data without an identity")
                + " in "
                + DiskMarks.IDENTITY_FILE;
    }
}

package dev.berth.agent;

import dev.berth.model.DiskCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Disks that jobs use as they are: a link by the disk's name leads to its device. */
final class RawDisks {
    private final Layout layout;
    private final DiskDevices devices;

    RawDisks(Layout layout, DiskDevices devices) {
        this.layout = layout;
        this.devices = devices;
    }

    void give(DiskCid cid, String name) {
        if (name.isEmpty()) {
            throw new ActionException(
                    "disk " + cid + " is raw and has no name: a raw disk needs one");
        }
        Path link = layout.rawDisks().resolve(name);
        try {
            Path device = devices.await(cid).whole();
            Files.createDirectories(layout.rawDisks());
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, device);
        } catch (IOException e) {
            throw new ActionException("cannot make " + link + ": " + ActionException.words(e), e);
        }
    }

    void take(String name) {
        DurableFile.delete(layout.rawDisks().resolve(name));
    }

    boolean isGiven(String name) {
        return Files.isSymbolicLink(layout.rawDisks().resolve(name));
    }
}

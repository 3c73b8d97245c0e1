package dev.berth.cpi.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * File systems that an agent froze and whose VM ended before it thawed them. VMs share the host's
 * kernel, which keeps such a file system frozen, and with it the device busy, although nobody has
 * it mounted any more; a real machine's would be gone with it.
 */
final class FrozenFileSystems {
    private static final System.Logger LOG = System.getLogger(FrozenFileSystems.class.getName());

    private final Base base;
    private final LoopDevices loops;
    private final Mounts mounts;

    FrozenFileSystems(Base base, LoopDevices loops, Mounts mounts) {
        this.base = base;
        this.loops = loops;
        this.mounts = mounts;
    }

    /** Thaws through the view of a process that sees the mount; not frozen is success. */
    void thawMounted(Path image) {
        for (LoopDevices.Loop loop : loops.of(image)) {
            Optional<Mounts.Mount> mount = mounts.of(loop.number());
            mount.ifPresent(m -> {
                String place = "/proc/" + m.pid() + "/root" + m.place();
                if (Commands.tryRun("fsfreeze", "--unfreeze", place).exitCode() == 0) {
                    told(image);
                }
            });
        }
    }

    /**
     * For a device that is held though nobody has it mounted: mounts what the kernel still keeps of
     * it for a moment, and thaws that. Nothing is written by it: a file system that is frozen has
     * its journal empty.
     *
     * @return whether something was thawed
     */
    boolean thawUnmounted(Path image) {
        boolean thawed = false;
        for (LoopDevices.Loop loop : loops.of(image)) {
            Path place = base.folder().resolve("thaw-" + loop.minor());
            Records.createFolder(place);
            if (Commands.tryRun("mount", "-o", "nosuid,nodev", loop.node() + "", place + "")
                            .exitCode()
                    == 0) {
                thawed |=
                        Commands.tryRun("fsfreeze", "--unfreeze", place.toString()).exitCode() == 0;
                Commands.run("umount", place.toString());
            }
            try {
                Files.deleteIfExists(place);
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "left behind: {0}", place);
            }
        }
        if (thawed) {
            told(image);
        }
        return thawed;
    }

    private static void told(Path image) {
        LOG.log(
                System.Logger.Level.WARNING,
                "disk={0} was left frozen by a VM that ended; it is thawed",
                image);
    }
}

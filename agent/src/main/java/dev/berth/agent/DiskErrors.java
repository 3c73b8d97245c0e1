package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Disks that failed to take what was written to them. That does not heal by itself: what the file
 * system believes to be on the disk is not there. So it is remembered, over restarts of the agent
 * too, until the disk is mounted anew. Thread-safe.
 */
final class DiskErrors {
    private static final int LONGEST = 300;

    private final Layout layout;
    private final KernelLog kernel;
    private final Map<String, Object> failed;

    DiskErrors(Layout layout, KernelLog kernel) {
        this.layout = layout;
        this.kernel = kernel;
        this.failed =
                new LinkedHashMap<>(
                        DurableFile.read(layout.diskErrors()).map(Json::object).orElse(Map.of()));
    }

    /** The kernel's last words about a write that failed; empty: none did. */
    synchronized Optional<String> writes(DiskDevices.Found disk) {
        kernel.errors(disk)
                .flatMap(KernelLog.Errors::lastWrite)
                .ifPresent(words -> remember(disk.cid(), words));
        return Optional.ofNullable(failed.get(disk.cid().value())).map(String::valueOf);
    }

    /** The same about reading, which harms nothing that is not read. */
    Optional<String> reads(DiskDevices.Found disk) {
        return kernel.errors(disk).flatMap(KernelLog.Errors::lastRead);
    }

    /** It was mounted anew, or went. */
    synchronized void forget(DiskDevices.Found disk) {
        kernel.forget(disk);
        if (failed.remove(disk.cid().value()) != null) {
            DurableFile.write(layout.diskErrors(), Json.write(failed));
        }
    }

    private void remember(DiskCid cid, String words) {
        String text = WireText.first(words, LONGEST);
        if (!text.equals(failed.put(cid.value(), text))) {
            DurableFile.write(layout.diskErrors(), Json.write(failed));
        }
    }
}

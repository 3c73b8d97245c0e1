package dev.berth.agent;

import static dev.berth.agent.Action.aside;
import static dev.berth.agent.Action.background;

import dev.berth.model.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Keeps what a director that loses its store needs to know this instance again, for it and opaque
 * to all others: on the VM and, when it is proven, on the persistent disk, which outlives the VM.
 */
final class RecordActions {
    /** What a message on the bus can carry. */
    private static final int MOST = 1 << 20;

    private final Layout layout;
    private final Supplier<List<String>> provenDisks;

    /**
     * @param provenDisks cids of those that are mounted and proven now
     */
    RecordActions(Layout layout, Supplier<List<String>> provenDisks) {
        this.layout = layout;
        this.provenDisks = provenDisks;
    }

    List<Action> all() {
        return List.of(
                background("keep_record", 1, (a, call) -> keep(a.string(0))),
                aside("get_record", 0, (a, call) -> get()));
    }

    private Object keep(String sealed) {
        if (sealed.isBlank() || sealed.length() > MOST) {
            throw new ActionException("a record has 1 to " + MOST + " characters");
        }
        DurableFile.write(layout.record(), sealed);
        if (isOnProvenDisk()) {
            DurableFile.write(layout.recordOnDisk(), sealed);
        }
        return "kept";
    }

    private boolean isOnProvenDisk() {
        return DiskMarks.identity(layout.store())
                .filter(cid -> provenDisks.get().contains(cid))
                .isPresent();
    }

    /** The VM's own; of a VM that was never told one, that of the VM which had the disk before. */
    private Map<String, Object> get() {
        Optional<String> own = DurableFile.read(layout.record());
        Optional<String> there =
                own.isEmpty() && isOnProvenDisk()
                        ? DurableFile.read(layout.recordOnDisk())
                        : Optional.empty();
        return Json.of("record", own.or(() -> there).orElse(null));
    }
}

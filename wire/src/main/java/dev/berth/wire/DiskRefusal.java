package dev.berth.wire;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why an agent does not let a disk be live, for programs: {@code disk_refusal} beside the {@code
 * message} of a reply's exception. Berth's own; other directors pass over it.
 *
 * @param other {@code SUPERSEDED}: the disk that has taken its place; {@code UNFINISHED_COPY}: the
 *     disk whose data was on its way to it. What was written on the disk, and may be no id at all
 */
public record DiskRefusal(Reason reason, DiskCid other) {
    /** What is written on the disk. */
    public enum Reason {
        /** Another disk has all of its data. */
        SUPERSEDED("superseded"),
        /** It has not yet all data of another one. */
        UNFINISHED_COPY("unfinished_copy");

        private final String word;

        Reason(String word) {
            this.word = word;
        }
    }

    Map<String, Object> toTree() {
        return Json.of("reason", reason.word, "disk", other.value());
    }

    /** Empty: there is none, or one that this program does not know. */
    static Optional<DiskRefusal> fromTree(@Nullable Object tree) {
        if (!(tree instanceof Map<?, ?>)) {
            return Optional.empty();
        }
        Fields fields = Fields.of(tree, "disk_refusal");
        for (Reason reason : Reason.values()) {
            if (reason.word.equals(fields.tree().get("reason"))
                    && fields.tree().get("disk") instanceof String disk
                    && !disk.isEmpty()) {
                return Optional.of(new DiskRefusal(reason, new DiskCid(disk)));
            }
        }
        return Optional.empty();
    }
}

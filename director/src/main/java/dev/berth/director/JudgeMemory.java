package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.monitor.Memory;
import dev.berth.store.Store;
import dev.berth.store.StoreException;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps with the store what the judge must not forget over a restart: whose repairs did not help,
 * and who was down lately. Small: of those who are well there is nothing to remember. One owner.
 */
final class JudgeMemory {
    private static final String KEY = "judge_memory";
    private static final System.Logger LOG = System.getLogger(JudgeMemory.class.getName());

    private final Store store;
    private List<Memory> last = List.of();

    JudgeMemory(Store store) {
        this.store = store;
    }

    /** What an earlier director kept. */
    List<Memory> kept() {
        String text = store.read(s -> s.setting(KEY)).orElse("[]");
        try {
            last =
                    Json.asList(Json.parse(text)).stream()
                            .map(tree -> read(Fields.of(tree, KEY)))
                            .toList();
        } catch (RuntimeException e) {
            // Nothing worse follows than that a repair is tried sooner.
            LOG.log(System.Logger.Level.WARNING, "what the judge remembered cannot be read", e);
            last = List.of();
        }
        return last;
    }

    void keep(List<Memory> memories) {
        List<Memory> now =
                memories.stream().sorted(Comparator.comparing(m -> m.instance().value())).toList();
        if (now.equals(last)) {
            return;
        }
        try {
            String text = Json.write(now.stream().map(JudgeMemory::tree).toList());
            store.update(s -> s.putSetting(KEY, text));
            last = now;
        } catch (StoreException e) {
            LOG.log(System.Logger.Level.WARNING, "the judge's memory cannot be kept", e);
        }
    }

    private static Object tree(Memory m) {
        return Json.of(
                "instance",
                m.instance().value(),
                "repairs",
                m.repairs(),
                "not_before",
                m.notBefore() == null ? null : m.notBefore().toString(),
                "down_at",
                m.downAt() == null ? null : m.downAt().toString());
    }

    private static Memory read(Fields f) {
        return new Memory(
                new InstanceId(f.string("instance")),
                (int) f.integer("repairs", 0),
                instant(f.optionalString("not_before")),
                instant(f.optionalString("down_at")));
    }

    private static @Nullable Instant instant(@Nullable String text) {
        return text == null ? null : Instant.parse(text);
    }
}

package dev.berth.supervisor;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a decision leaves behind.
 *
 * @param memos to be remembered before any of the steps begins
 * @param exits containers found to have ended since the last decision, name to id
 * @param wake when to decide again if nothing happens until then; null: no need
 */
record Decision(
        Map<String, Memo> memos,
        List<Step> steps,
        Map<String, String> exits,
        @Nullable Instant wake) {}
